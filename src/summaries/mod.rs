//! Summaries of readings by local calendar periods, made in one pass.
//!
//! What is kept in memory grows with the periods and the series, not with the
//! readings: of a period that is over only its numbers are left.

mod calendar;
mod median;
mod period;
mod series;
mod series_key;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use calendar::{Calendar, CalendarContext, CalendarPeriod, Interval};
pub use median::{Median, MedianMethod};
pub use period::PeriodSummary;
pub use series::{Coverage, InsufficientData, SeriesBaseline, SeriesSummary, SeriesTrend};

pub use crate::statistics::{Direction, Strength};

use self::series::{Day, SeriesBuilder};
use self::series_key::SeriesKey;
use crate::domain::{Reading, TimeRange};

/// Takes readings in the order of time, and sums them up.
pub struct Summarizer {
    calendar: Calendar,
    range: TimeRange,
    now: Timestamp,
    series: Vec<SeriesBuilder>,
    /// How many periods have been begun, in all series.
    periods: usize,
}

/// There is more to tell than an answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SummaryLimitExceeded {
    /// Too many periods.
    #[error(
        "makes more than {} buckets: choose larger buckets, a shorter range or fewer data types",
        Summarizer::MAX_PERIODS
    )]
    Periods,
    /// Too many series.
    #[error(
        "makes more than {} series of data types, granularities and units: name fewer data types or choose a shorter range",
        Summarizer::MAX_SERIES
    )]
    Series,
}

impl Summarizer {
    /// The most periods, in all series.
    pub const MAX_PERIODS: usize = 20_000;
    /// The most series.
    pub const MAX_SERIES: usize = 100;

    /// Of readings within `range`, by periods of this kind in this zone, as of
    /// `now`.
    pub fn new(range: TimeRange, period: CalendarPeriod, zone: TimeZone, now: Timestamp) -> Self {
        Self {
            calendar: Calendar::new(period, zone),
            range,
            now,
            series: Vec::new(),
            periods: 0,
        }
    }

    /// Takes a reading that is no more than a millisecond older than those
    /// before it.
    ///
    /// # Errors
    /// When it would be too much; then nothing more can be taken.
    pub fn push(&mut self, reading: &Reading) -> Result<(), SummaryLimitExceeded> {
        let measurement = &reading.measurement;
        let key = SeriesKey::from_measurement(measurement);
        let matches = |series: &SeriesBuilder| series.is_of(&measurement.data_type, &key);
        let index = match self.series.iter().position(matches) {
            Some(index) => index,
            None if self.series.len() == Self::MAX_SERIES => {
                return Err(SummaryLimitExceeded::Series);
            }
            None => {
                let series = SeriesBuilder::new(measurement.data_type.clone(), key);
                self.series.push(series);
                self.series.len() - 1
            }
        };
        let instant = measurement.timestamp.instant();
        let CalendarContext { period, date, day } = self.calendar.around(instant);
        let is_whole = self.is_whole(day);
        let value = measurement.value.get();
        let begins = self.series[index].push(period, Day { date, is_whole }, instant, value);
        self.periods += usize::from(begins);
        if self.periods > Self::MAX_PERIODS {
            return Err(SummaryLimitExceeded::Periods);
        }
        Ok(())
    }

    /// Whether the day is over and within the range from its beginning to its
    /// end.
    fn is_whole(&self, day: Interval) -> bool {
        let TimeRange { start, end } = self.range;
        start.is_none_or(|start| start <= day.start)
            && end.is_none_or(|end| day.end <= end)
            && day.end <= self.now
    }

    /// The summaries, in the order of data types, granularities and units.
    pub fn finish(self) -> Vec<SeriesSummary> {
        let days = self.calendar.days_in(self.range);
        let finished = self.series.into_iter().map(|series| series.finish(days));
        let mut series: Vec<SeriesSummary> = finished.collect();
        series.sort_by(|one, other| {
            let key = |series: &SeriesSummary| {
                (
                    series.data_type.clone(),
                    series.granularity.clone(),
                    series.unit.clone(),
                )
            };
            key(one).cmp(&key(other))
        });
        series
    }
}
