use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Interval;
use super::period::{PeriodAccumulator, PeriodSummary};
use super::series_key::SeriesKey;
use crate::domain::DataType;
use crate::domain::vocabulary::{self, DailyAggregation};
use crate::statistics::{Direction, Strength, Trend, median};

/// The newest days on which what is usual, and how it changes, rests.
const MAX_DAYS: usize = 180;

/// The fewest days that show what is usual.
const MIN_DAYS_FOR_BASELINE: usize = 7;

/// The fewest days that show a change.
const MIN_DAYS_FOR_TREND: usize = 10;

/// The readings of one data type, granularity and unit, summed up.
#[derive(Debug, Clone)]
pub struct SeriesSummary {
    /// What was measured.
    pub data_type: DataType,
    /// Over how long each reading was, where they say so.
    pub granularity: Option<String>,
    /// In which unit, if any is known.
    pub unit: Option<String>,
    /// Whether the values of a day add up.
    pub adds_up: bool,
    /// The periods in which there are readings, oldest first.
    pub periods: Vec<PeriodSummary>,
    /// On how many days there are readings.
    pub coverage: Coverage,
    /// What is usual for a day.
    pub baseline: Result<SeriesBaseline, InsufficientData>,
    /// How days change.
    pub trend: Result<SeriesTrend, InsufficientData>,
}

/// On how many of the local days there are readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// Days with readings.
    pub days_with_data: u32,
    /// All days.
    pub days: u32,
}

/// What one number for each day usually is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesBaseline {
    /// The median of the days.
    pub median: f64,
    /// The median of their absolute deviations from it.
    pub deviation: f64,
    /// On how many days it rests.
    pub days: usize,
}

/// How one number for each day changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeriesTrend {
    /// By how much a day.
    pub slope_per_day: f64,
    /// Which way, if that can be told from chance.
    pub direction: Direction,
    /// How plainly.
    pub strength: Strength,
    /// On how many days it rests.
    pub days: usize,
}

/// Why nothing can be said about days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsufficientData {
    /// There are fewer than it takes.
    #[error("needs at least {required} {days} with data, and there are {found}", days = if *.whole { "whole days" } else { "days" })]
    Days {
        /// How many it takes.
        required: usize,
        /// How many there are.
        found: usize,
        /// Whether only those count that are over and not cut by the range.
        whole: bool,
    },
    /// All days are the same.
    #[error("all days have the same value")]
    Constant,
}

/// A local day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: Date,
    /// Whether all of its readings can have come.
    pub(super) is_whole: bool,
}

/// A series while its readings come.
pub(super) struct SeriesBuilder {
    data_type: DataType,
    key: SeriesKey<'static>,
    daily: DailyAggregation,
    period: Option<PeriodAccumulator>,
    periods: Vec<PeriodSummary>,
    day: Option<(Day, PeriodAccumulator)>,
    days_with_data: u32,
    /// One number for each of the newest days.
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

    pub(super) fn is_of(&self, data_type: &DataType, key: &SeriesKey<'_>) -> bool {
        self.data_type == *data_type && self.key == *key
    }

    /// Takes a value; tells whether a period begins with it.
    pub(super) fn push(
        &mut self,
        interval: Interval,
        day: Day,
        instant: Timestamp,
        value: f64,
    ) -> bool {
        match &mut self.day {
            Some((open, values)) if *open == day => values.push(instant, value),
            _ => {
                self.close_day();
                self.day = Some((day, PeriodAccumulator::new(interval, instant, value)));
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
        let Some((Day { date, is_whole }, values)) = self.day.take() else {
            return;
        };
        let Some(values) = values.finish() else {
            return;
        };
        self.days_with_data += 1;
        let number = match self.daily {
            // A part of a day adds up to less than days do.
            DailyAggregation::Sum if !is_whole => return,
            DailyAggregation::Sum => values.sum,
            DailyAggregation::Mean => values.mean(),
            DailyAggregation::Median => values.median.value,
            DailyAggregation::Last => values.last,
        };
        if self.days.len() == MAX_DAYS {
            self.days.pop_front();
        }
        self.days.push_back((date, number));
    }

    pub(super) fn finish(mut self, days: u32) -> SeriesSummary {
        self.close_period();
        self.close_day();
        let newest = self.days.make_contiguous();
        let adds_up = self.daily == DailyAggregation::Sum;
        SeriesSummary {
            baseline: baseline(newest, adds_up),
            trend: trend(newest, adds_up),
            data_type: self.data_type,
            granularity: self.key.granularity.map(Cow::into_owned),
            unit: self.key.unit.map(Cow::into_owned),
            adds_up,
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
