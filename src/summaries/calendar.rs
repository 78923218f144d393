use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use crate::domain::TimeRange;

/// A kind of period of the local calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarPeriod {
    /// As the clock on the wall has it; one that is repeated counts twice.
    Hour,
    /// From midnight: 23 to 25 hours where clocks change.
    Day,
    /// From Monday.
    Week,
    /// From its first day.
    Month,
}

/// From `start`, included, to `end`, not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first instant within.
    pub start: Timestamp,
    /// The first instant past it.
    pub end: Timestamp,
}

impl Interval {
    fn contains(&self, instant: Timestamp) -> bool {
        self.start <= instant && instant < self.end
    }
}

/// Where an instant lies.
pub struct CalendarContext {
    /// In which period.
    pub period: Interval,
    /// On which day.
    pub date: Date,
    /// From when to when that day is.
    pub day: Interval,
}

/// The local calendar of a time zone. It remembers where it looked last, as
/// readings come in the order of time.
pub struct Calendar {
    period: CalendarPeriod,
    zone: TimeZone,
    last_period: Interval,
    last_day: (Date, Interval),
}

/// Contains nothing.
const EMPTY: Interval = Interval {
    start: Timestamp::UNIX_EPOCH,
    end: Timestamp::UNIX_EPOCH,
};

impl Calendar {
    /// Periods of this kind in this zone.
    pub fn new(period: CalendarPeriod, zone: TimeZone) -> Self {
        Self {
            period,
            zone,
            last_period: EMPTY,
            last_day: (Date::ZERO, EMPTY),
        }
    }

    /// The period and the day in which `instant` lies.
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

    /// How many local days `range` touches; an open one as many as can be.
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

    /// The day that has begun last, which is the one on the wall but where
    /// clocks go back across midnight: then that stands for the hour before it
    /// when that comes again.
    fn day(&self, instant: Timestamp) -> (Date, Interval) {
        let of = |date: Date| (date, self.dates(date, date.saturating_add(day())));
        let date = self.zone.to_datetime(instant).date();
        match of(date) {
            (date, interval) if instant >= interval.end => of(date.saturating_add(day())),
            of_date => of_date,
        }
    }

    /// From the beginning of one day to that of another.
    fn dates(&self, first: Date, past: Date) -> Interval {
        Interval {
            start: self.beginning(first).unwrap_or(Timestamp::MIN),
            end: self.beginning(past).unwrap_or(Timestamp::MAX),
        }
    }

    /// The first instant of a day: midnight, or where clocks skip it the end of
    /// the gap, or where they repeat it the first one (RFC 5545, section
    /// 3.3.5).
    fn beginning(&self, date: Date) -> Option<Timestamp> {
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

    /// The hour of the wall clock, cut off where clocks change.
    fn hour(&self, instant: Timestamp) -> Interval {
        let time = self.zone.to_datetime(instant).time();
        let into_it = SignedDuration::from_mins(time.minute().into())
            + SignedDuration::from_secs(time.second().into())
            + SignedDuration::from_nanos(time.subsec_nanosecond().into());
        let start = instant.saturating_sub(into_it).unwrap_or(Timestamp::MIN);
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
        let behind = self
            .zone
            .following(instant)
            .take_while(|transition| transition.timestamp() < end)
            .find(|transition| transition.offset() != offset);
        Interval {
            start: before.map_or(start, |transition| transition.timestamp()),
            end: behind.map_or(end, |transition| transition.timestamp()),
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
        // Where midnight itself is skipped.
        assert_eq!(
            around(
                CalendarPeriod::Day,
                "America/Sao_Paulo",
                "2018-11-04T12:00:00Z"
            ),
            "2018-11-04T03:00:00Z 2018-11-05T02:00:00Z"
        );
    }

    /// There clocks went back from 00:01 on November 7th to 23:01 on the 6th.
    #[test]
    fn a_day_that_has_begun_does_not_end_where_clocks_go_back_across_midnight() {
        let day = |instant: &str| around(CalendarPeriod::Day, "America/St_Johns", instant);
        let sixth = "2010-11-06T02:30:00Z 2010-11-07T02:30:00Z";
        let seventh = "2010-11-07T02:30:00Z 2010-11-08T03:30:00Z";
        assert_eq!(day("2010-11-07T02:29:59Z"), sixth);
        // 00:00:30, and from 23:01 on again.
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
    fn a_repeated_hour_counts_twice() {
        let hour = |instant| around(CalendarPeriod::Hour, "Europe/Athens", instant);
        assert_eq!(
            hour("2021-10-31T00:30:00Z"),
            "2021-10-31T00:00:00Z 2021-10-31T01:00:00Z"
        );
        assert_eq!(
            hour("2021-10-31T01:30:00Z"),
            "2021-10-31T01:00:00Z 2021-10-31T02:00:00Z"
        );
        let of_half = |instant| around(CalendarPeriod::Hour, "Asia/Kolkata", instant);
        assert_eq!(
            of_half("2021-10-31T00:45:00Z"),
            "2021-10-31T00:30:00Z 2021-10-31T01:30:00Z"
        );
    }

    /// There clocks go back half an hour at 02:00, so that 01:30 to 02:00 comes
    /// twice.
    #[test]
    fn an_hour_is_cut_where_clocks_change_within_it() {
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
    fn weeks_begin_on_monday_and_months_on_their_first_day() {
        let of = |period| around(period, "UTC", "2024-02-29T23:59:59.999999999Z");
        assert_eq!(
            of(CalendarPeriod::Week),
            "2024-02-26T00:00:00Z 2024-03-04T00:00:00Z"
        );
        assert_eq!(
            of(CalendarPeriod::Month),
            "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z"
        );
    }

    #[test]
    fn days_of_a_range_are_those_that_it_touches() {
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
