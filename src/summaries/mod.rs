//! Summaries of readings by local calendar period, computed in one pass.
//!
//! Memory grows with the number of periods and series, not of readings: a
//! completed period is reduced to its aggregates.

mod calendar;
mod compensated_sum;
mod daily_value;
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

/// Summarizes readings that arrive in order of time.
pub struct Summarizer {
    calendar: Calendar,
    range: TimeRange,
    now: Timestamp,
    series: Vec<SeriesBuilder>,
    /// Number of periods started, over all series.
    periods: usize,
}

/// Limit on the size of a response that a summary exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SummaryLimitExceeded {
    /// More than [`Summarizer::MAX_PERIODS`] periods.
    #[error(
        "makes more than {} buckets: choose larger buckets, a shorter range or fewer data types",
        Summarizer::MAX_PERIODS
    )]
    Periods,
    /// More than [`Summarizer::MAX_SERIES`] series.
    #[error(
        "makes more than {} series of data types, granularities and units: name fewer data types or choose a shorter range",
        Summarizer::MAX_SERIES
    )]
    Series,
}

impl Summarizer {
    /// Maximum number of periods, over all series. It bounds memory and the size
    /// of a response.
    pub const MAX_PERIODS: usize = 20_000;
    /// Maximum number of series.
    pub const MAX_SERIES: usize = 100;

    /// Creates a summarizer of readings within `range`, by periods of this kind
    /// in `zone`. Days that end after `now` are incomplete.
    pub fn new(range: TimeRange, period: CalendarPeriod, zone: TimeZone, now: Timestamp) -> Self {
        Self {
            calendar: Calendar::new(period, zone),
            range,
            now,
            series: Vec::new(),
            periods: 0,
        }
    }

    /// Adds a reading. It may be at most a millisecond older than the previous
    /// ones.
    ///
    /// # Errors
    /// Returns the exceeded limit. The summarizer accepts no further readings
    /// then.
    pub fn push(&mut self, reading: &Reading) -> Result<(), SummaryLimitExceeded> {
        let measurement = &reading.measurement;
        let key = SeriesKey::from_measurement(measurement);
        let matches = |series: &SeriesBuilder| series.matches(&measurement.data_type, &key);
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
        let starts_period = self.series[index].push(period, Day { date, is_whole }, instant, value);
        self.periods += usize::from(starts_period);
        if self.periods > Self::MAX_PERIODS {
            return Err(SummaryLimitExceeded::Periods);
        }
        Ok(())
    }

    /// Returns true if the day has ended and lies wholly within the range.
    fn is_whole(&self, day: Interval) -> bool {
        let TimeRange { start, end } = self.range;
        start.is_none_or(|start| start <= day.start)
            && end.is_none_or(|end| day.end <= end)
            && day.end <= self.now
    }

    /// Returns the summaries, ordered by data type, granularity and unit.
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
