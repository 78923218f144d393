use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::domain::TimeRange;

/// Unit by which the local calendar is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarPeriod {
    /// An hour of the wall clock; one that the clock repeats is two periods.
    Hour,
    /// From midnight to midnight: 23 to 25 hours where clocks change.
    Day,
    /// From Monday to Monday.
    Week,
    /// A calendar month.
    Month,
}

/// Half-open interval of time: `start` inclusive, `end` exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first instant within.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Interval {
    fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }
}

/// Calendar period and local day that contain an instant.
pub struct CalendarContext {
    /// The period.
    pub period: Interval,
    /// The local date.
    pub date: Date,
    /// The interval of that local day.
    pub day: Interval,
}

/// Local calendar of a time zone. It caches the last period and day, since
/// readings arrive in order of time.
pub struct Calendar {
    period: CalendarPeriod,
    zone: TimeZone,
    last_period: Interval,
    last_day: (Date, Interval),
}

/// Interval that contains no instant.
const EMPTY: Interval = Interval {
    start: Timestamp::UNIX_EPOCH,
    end: Timestamp::UNIX_EPOCH,
};

impl Calendar {
    /// Creates a calendar with periods of this kind in `zone`.
    pub fn new(period: CalendarPeriod, zone: TimeZone) -> Self {
        Self {
            period,
            zone,
            last_period: EMPTY,
            last_day: (Date::ZERO, EMPTY),
        }
    }

    /// Returns the period and the local day that contain `instant`.
    pub fn around(&mut self, instant: Timestamp) -> CalendarContext {
        if !self.last_day.1.contains(instant) {
            self.last_day = self.day(instant);
        }
        if !self.last_period.contains(instant) {
            self.last_period = match self.period {
                CalendarPeriod::Hour => self.hour(instant),
                CalendarPeriod::Day => self.last_day.1,
                CalendarPeriod::Week => self.week(self.last_day.0),
                CalendarPeriod::Month => self.month(self.last_day.0),
            };
        }
        let (date, day) = self.last_day;
        CalendarContext {
            period: self.last_period,
            date,
            day,
        }
    }

    /// Returns the number of local days that `range` overlaps. An open end
    /// extends to the limit of representable time.
    pub fn days_in(&self, range: TimeRange) -> u32 {
        let start = range.start.unwrap_or(Timestamp::MIN);
        let end = range.end.unwrap_or(Timestamp::MAX);
        if start >= end {
            return 0;
        }
        let last = end.saturating_sub(SignedDuration::from_nanos(1));
        let (first, last) = (self.day(start).0, self.day(last.unwrap_or(end)).0);
        let days = (last - first).get_days();
        u32::try_from(days).map_or(0, |days| days + 1)
    }

    /// Returns the day that started last. It is the day of the wall clock,
    /// except where clocks go back across midnight: there the new day already
    /// includes the repeated hour before midnight.
    fn day(&self, instant: Timestamp) -> (Date, Interval) {
        let day_of = |date: Date| (date, self.dates(date, date.saturating_add(day())));
        let date = self.zone.to_datetime(instant).date();
        match day_of(date) {
            (date, interval) if instant >= interval.end => day_of(date.saturating_add(day())),
            current => current,
        }
    }

    /// Returns the interval from the start of day `first` to that of day `past`.
    fn dates(&self, first: Date, past: Date) -> Interval {
        Interval {
            start: self.start_of(first).unwrap_or(Timestamp::MIN),
            end: self.start_of(past).unwrap_or(Timestamp::MAX),
        }
    }

    /// Returns the first instant of a day: midnight, the end of the gap if
    /// clocks skip midnight, or the first midnight if they repeat it (RFC 5545,
    /// section 3.3.5).
    fn start_of(&self, date: Date) -> Option<Timestamp> {
        let midnight = date.at(0, 0, 0, 0);
        let midnight = self.zone.to_ambiguous_timestamp(midnight);
        midnight.compatible().ok()
    }

    fn week(&self, date: Date) -> Interval {
        let past_monday = i64::from(date.weekday().to_monday_zero_offset());
        let monday = date.saturating_sub(Span::new().days(past_monday));
        self.dates(monday, monday.saturating_add(Span::new().days(7)))
    }

    fn month(&self, date: Date) -> Interval {
        self.dates(
            date.first_of_month(),
            date.last_of_month().saturating_add(day()),
        )
    }

    /// Returns the hour of the wall clock, truncated where clocks change.
    fn hour(&self, instant: Timestamp) -> Interval {
        let time = self.zone.to_datetime(instant).time();
        let elapsed = SignedDuration::from_mins(time.minute().into())
            + SignedDuration::from_secs(time.second().into())
            + SignedDuration::from_nanos(time.subsec_nanosecond().into());
        let start = instant.saturating_sub(elapsed).unwrap_or(Timestamp::MIN);
        let hour = SignedDuration::from_hours(1);
        let end = start.saturating_add(hour).unwrap_or(Timestamp::MAX);
        let offset = self.zone.to_offset(instant);
        // Not every transition changes the offset.
        let before = self
            .zone
            .preceding(
                instant
                    .saturating_add(SignedDuration::from_nanos(1))
                    .unwrap_or(instant),
            )
            .take_while(|transition| transition.timestamp() > start)
            .find(|transition| {
                let earlier = transition.timestamp() - SignedDuration::from_nanos(1);
                self.zone.to_offset(earlier) != offset
            });
        let after = self
            .zone
            .following(instant)
            .take_while(|transition| transition.timestamp() < end)
            .find(|transition| transition.offset() != offset);
        Interval {
            start: before.map_or(start, |transition| transition.timestamp()),
            end: after.map_or(end, |transition| transition.timestamp()),
        }
    }
}

fn day() -> Span {
    Span::new().days(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(period: CalendarPeriod, zone: &str, instant: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let mut calendar = Calendar::new(period, zone);
        let Interval { start, end } = calendar.around(instant.parse().unwrap()).period;
        format!("{start} {end}")
    }

    #[test]
    fn days_have_23_to_25_hours_where_clocks_change() {
        let day = |instant| around(CalendarPeriod::Day, "Europe/Athens", instant);
        assert_eq!(
            day("2021-10-31T12:00:00Z"),
            "2021-10-30T21:00:00Z 2021-10-31T22:00:00Z"
        );
        assert_eq!(
            day("2022-03-27T12:00:00Z"),
            "2022-03-26T22:00:00Z 2022-03-27T21:00:00Z"
        );
        // Midnight itself is skipped.
        assert_eq!(
            around(
                CalendarPeriod::Day,
                "America/Sao_Paulo",
                "2018-11-04T12:00:00Z"
            ),
            "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"
        );
    }

    /// Clocks went back from 00:01 on 7 November to 23:01 on 6 November.
    #[test]
    fn started_day_continues_where_clocks_go_back_across_midnight() {
        let day = |instant: &str| around(CalendarPeriod::Day, "America/St_Johns", instant);
        let sixth = "2010-11-06T02:30:00Z 2010-11-07T02:30:00Z";
        let seventh = "2010-11-07T02:30:00Z 2010-11-08T03:30:00Z";
        assert_eq!(day("2010-11-07T02:29:59Z"), sixth);
        // 00:00:30, then 23:01 again and later.
        for instant in ["02:30:30", "02:31:00", "03:00:00", "03:30:00", "12:00:00"] {
            assert_eq!(day(&format!("2010-11-07T{instant}Z")), seventh);
        }
        let zone = TimeZone::get("America/St_Johns").unwrap();
        let calendar = Calendar::new(CalendarPeriod::Day, zone);
        let range = |start: &str, end: &str| TimeRange {
            start: Some(start.parse().unwrap()),
            end: Some(end.parse().unwrap()),
        };
        let days = calendar.days_in(range("2010-11-07T02:30:00Z", "2010-11-08T03:30:00Z"));
        assert_eq!(days, 1);
    }

    #[test]
    fn repeated_hour_is_two_periods() {
        let hour = |instant| around(CalendarPeriod::Hour, "Europe/Athens", instant);
        assert_eq!(
            hour("2021-10-31T00:30:00Z"),
            "2021-10-31T00:00:00Z 2021-10-31T01:00:00Z"
        );
        assert_eq!(
            hour("2021-10-31T01:30:00Z"),
            "2021-10-31T01:00:00Z 2021-10-31T02:00:00Z"
        );
        let half_hour_zone = |instant| around(CalendarPeriod::Hour, "Asia/Kolkata", instant);
        assert_eq!(
            half_hour_zone("2021-10-31T00:45:00Z"),
            "2021-10-31T00:30:00Z 2021-10-31T01:30:00Z"
        );
    }

    /// Clocks go back half an hour at 02:00, so that 01:30 to 02:00 is
    /// repeated.
    #[test]
    fn hour_is_truncated_where_clocks_change_within_it() {
        let hour = |instant| around(CalendarPeriod::Hour, "Australia/Lord_Howe", instant);
        assert_eq!(
            hour("2024-04-06T14:45:00Z"),
            "2024-04-06T14:00:00Z 2024-04-06T15:00:00Z"
        );
        assert_eq!(
            hour("2024-04-06T15:15:00Z"),
            "2024-04-06T15:00:00Z 2024-04-06T15:30:00Z"
        );
        assert_eq!(
            hour("2024-04-06T15:00:00Z"),
            "2024-04-06T15:00:00Z 2024-04-06T15:30:00Z"
        );
    }

    #[test]
    fn weeks_start_on_monday_and_months_on_their_first_day() {
        let interval = |period| around(period, "UTC", "2024-02-29T23:59:59.999999999Z");
        assert_eq!(
            interval(CalendarPeriod::Week),
            "2024-02-26T00:00:00Z 2024-03-04T00:00:00Z"
        );
        assert_eq!(
            interval(CalendarPeriod::Month),
            "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z"
        );
    }

    #[test]
    fn days_of_a_range_are_those_that_it_overlaps() {
        let zone = TimeZone::get("Europe/Athens").unwrap();
        let calendar = Calendar::new(CalendarPeriod::Day, zone);
        let days = |start: &str, end: &str| {
            calendar.days_in(TimeRange {
                start: Some(start.parse().unwrap()),
                end: Some(end.parse().unwrap()),
            })
        };
        assert_eq!(days("2021-10-30T21:00:00Z", "2021-10-31T22:00:00Z"), 1);
        assert_eq!(days("2021-10-30T20:59:59Z", "2021-10-31T22:00:01Z"), 3);
        assert_eq!(days("2021-10-31T00:00:00Z", "2021-10-31T00:00:00Z"), 0);
        assert!(calendar.days_in(TimeRange::default()) > 7_000_000);
    }
}
