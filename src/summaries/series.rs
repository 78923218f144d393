use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Interval;
use super::daily_value::DailyValue;
use super::period::{PeriodAccumulator, PeriodSummary};
use super::series_key::SeriesKey;
use crate::domain::DataType;
use crate::domain::vocabulary::{self, DailyAggregation};
use crate::statistics::{Direction, Strength, Trend, median};

/// Maximum number of newest days that a baseline or a trend is computed from.
const MAX_DAYS: usize = 180;

/// Minimum number of days for a baseline: one week.
const MIN_DAYS_FOR_BASELINE: usize = 7;

/// Minimum number of days for a trend.
const MIN_DAYS_FOR_TREND: usize = 10;

/// Summary of the readings of one data type, granularity and unit.
#[derive(Debug, Clone)]
pub struct SeriesSummary {
    /// The data type.
    pub data_type: DataType,
    /// Time span of each reading, if the readings state it.
    pub granularity: Option<String>,
    /// The unit, if it is known.
    pub unit: Option<String>,
    /// True if values are cumulative, so that their sum is meaningful.
    pub is_cumulative: bool,
    /// Periods that contain readings, oldest first.
    pub periods: Vec<PeriodSummary>,
    /// Share of the local days that contain readings.
    pub coverage: Coverage,
    /// Baseline of the daily values.
    pub baseline: Result<SeriesBaseline, InsufficientData>,
    /// Trend of the daily values.
    pub trend: Result<SeriesTrend, InsufficientData>,
}

/// Local days of the range that contain readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Number of days with readings.
    pub days_with_data: u32,
    /// Number of days in the range.
    pub days: u32,
}

/// Baseline of one aggregate value per day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesBaseline {
    /// The median of the daily values.
    pub median: f64,
    /// The median absolute deviation from it.
    pub deviation: f64,
    /// Number of days it was computed from.
    pub days: usize,
}

/// Trend of one aggregate value per day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesTrend {
    /// Change per day (Sen's slope).
    pub slope_per_day: f64,
    /// The direction, if the change is significant.
    pub direction: Direction,
    /// The strength, by Kendall's τ.
    pub strength: Strength,
    /// Number of days it was computed from.
    pub days: usize,
}

/// Reason that a baseline or trend could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsufficientData {
    /// There are too few days.
    #[error("needs at least {required} {days} with data, and there are {found}", days = if *.whole { "whole days" } else { "days" })]
    Days {
        /// Minimum number of days.
        required: usize,
        /// Number of days found.
        found: usize,
        /// True if only days count that have ended and lie wholly in the range.
        whole: bool,
    },
    /// All days have the same value.
    #[error("all days have the same value")]
    Constant,
}

/// Local day of a reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: Date,
    /// True if the day has ended and lies wholly within the range.
    pub(super) is_whole: bool,
}

/// Accumulates the readings of one series.
pub(super) struct SeriesBuilder {
    data_type: DataType,
    key: SeriesKey<'static>,
    daily: DailyAggregation,
    period: Option<PeriodAccumulator>,
    periods: Vec<PeriodSummary>,
    day: Option<(Day, DailyValue)>,
    days_with_data: u32,
    /// One aggregate value for each of the newest days.
    days: VecDeque<(Date, f64)>,
}

impl SeriesBuilder {
    pub(super) fn new(data_type: DataType, key: SeriesKey<'_>) -> Self {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| text.into_owned().into());
        let metric = vocabulary::find(data_type.as_str());
        Self {
            daily: metric.map_or(DailyAggregation::Mean, |metric| metric.daily),
            data_type,
            key: SeriesKey {
                granularity: owned(key.granularity),
                unit: owned(key.unit),
            },
            period: None,
            periods: Vec::new(),
            day: None,
            days_with_data: 0,
            days: VecDeque::new(),
        }
    }

    pub(super) fn matches(&self, data_type: &DataType, key: &SeriesKey<'_>) -> bool {
        self.data_type == *data_type && self.key == *key
    }

    /// Adds a value. Returns true if it starts a new period.
    pub(super) fn push(
        &mut self,
        interval: Interval,
        day: Day,
        instant: Timestamp,
        value: f64,
    ) -> bool {
        match &mut self.day {
            Some((open, daily)) if *open == day => daily.push(instant, value),
            _ => {
                self.close_day();
                self.day = Some((day, DailyValue::new(self.daily, instant, value)));
            }
        }
        match &mut self.period {
            Some(period) if period.interval() == interval => {
                period.push(instant, value);
                false
            }
            _ => {
                self.close_period();
                self.period = Some(PeriodAccumulator::new(interval, instant, value));
                true
            }
        }
    }

    fn close_period(&mut self) {
        let period = self.period.take();
        self.periods
            .extend(period.and_then(PeriodAccumulator::finish));
    }

    fn close_day(&mut self) {
        let Some((Day { date, is_whole }, daily)) = self.day.take() else {
            return;
        };
        let Some(value) = daily.finish() else {
            return;
        };
        self.days_with_data += 1;
        if self.daily == DailyAggregation::Sum && !is_whole {
            // The sum of a partial day is not comparable with that of a whole day.
            return;
        }
        if self.days.len() == MAX_DAYS {
            self.days.pop_front();
        }
        self.days.push_back((date, value));
    }

    pub(super) fn finish(mut self, days: u32) -> SeriesSummary {
        self.close_period();
        self.close_day();
        let newest = self.days.make_contiguous();
        let is_cumulative = self.daily == DailyAggregation::Sum;
        SeriesSummary {
            baseline: baseline(newest, is_cumulative),
            trend: trend(newest, is_cumulative),
            data_type: self.data_type,
            granularity: self.key.granularity.map(Cow::into_owned),
            unit: self.key.unit.map(Cow::into_owned),
            is_cumulative,
            periods: self.periods,
            coverage: Coverage {
                days_with_data: self.days_with_data,
                days,
            },
        }
    }
}

fn require_days(
    days: &[(Date, f64)],
    whole: bool,
    required: usize,
) -> Result<(), InsufficientData> {
    let found = days.len();
    if found < required {
        return Err(InsufficientData::Days {
            required,
            found,
            whole,
        });
    }
    Ok(())
}

fn baseline(days: &[(Date, f64)], whole: bool) -> Result<SeriesBaseline, InsufficientData> {
    require_days(days, whole, MIN_DAYS_FOR_BASELINE)?;
    let values = || days.iter().map(|(_, value)| *value);
    let middle = median(values()).unwrap_or_default();
    let deviation = median(values().map(|value| (value - middle).abs()));
    Ok(SeriesBaseline {
        median: middle,
        deviation: deviation.unwrap_or_default(),
        days: days.len(),
    })
}

fn trend(days: &[(Date, f64)], whole: bool) -> Result<SeriesTrend, InsufficientData> {
    require_days(days, whole, MIN_DAYS_FOR_TREND)?;
    let first = days[0].0;
    let point = |(date, value): &(Date, f64)| (f64::from((*date - first).get_days()), *value);
    let points: Vec<(f64, f64)> = days.iter().map(point).collect();
    let trend = Trend::from_points(&points).ok_or(InsufficientData::Constant)?;
    Ok(SeriesTrend {
        slope_per_day: trend.slope,
        direction: trend.direction(),
        strength: trend.strength(),
        days: days.len(),
    })
}
