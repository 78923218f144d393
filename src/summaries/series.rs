use std::borrow::Cow;
use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::civil::Date;

use super::Interval;
use super::period::{OpenPeriod, PeriodSummary};
use super::tags::Tags;
use crate::domain::DataType;
use crate::domain::vocabulary::{self, DailyAggregation};
use crate::statistics::{Direction, Strength, Trend, median};

/// The newest days on which what is usual, and how it changes, rests.
const MOST_DAYS: usize = 180;

/// The fewest days that show what is usual.
const FEWEST_FOR_USUAL: usize = 7;

/// The fewest days that show a change.
const FEWEST_FOR_CHANGE: usize = 10;

/// The readings of one data type, granularity and unit, summed up.
#[derive(Debug, Clone)]
pub struct Series {
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
    pub usual: Result<Usual, TooFewDays>,
    /// How days change.
    pub change: Result<Change, TooFewDays>,
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
pub struct Usual {
    /// The median of the days.
    pub median: f64,
    /// The median of their absolute deviations from it.
    pub deviation: f64,
    /// On how many days it rests.
    pub days: usize,
}

/// How one number for each day changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
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
pub enum TooFewDays {
    /// There are fewer than it takes.
    #[error("needs at least {needed} {days} with data, and there are {found}", days = if *.whole { "whole days" } else { "days" })]
    Days {
        /// How many it takes.
        needed: usize,
        /// How many there are.
        found: usize,
        /// Whether only those count that are over and not cut by the range.
        whole: bool,
    },
    /// All days are the same.
    #[error("all days have the same value")]
    NoChange,
}

/// A local day.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: Date,
    /// Whether all of its readings can have come.
    pub(super) is_whole: bool,
}

/// A series while its readings come.
pub(super) struct OpenSeries {
    data_type: DataType,
    tags: Tags<'static>,
    daily: DailyAggregation,
    period: Option<OpenPeriod>,
    periods: Vec<PeriodSummary>,
    day: Option<(Day, OpenPeriod)>,
    days_with_data: u32,
    /// One number for each of the newest days.
    days: VecDeque<(Date, f64)>,
}

impl OpenSeries {
    pub(super) fn new(data_type: DataType, tags: Tags<'_>) -> Self {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| text.into_owned().into());
        let metric = vocabulary::find(data_type.as_str());
        Self {
            daily: metric.map_or(DailyAggregation::Mean, |metric| metric.daily),
            data_type,
            tags: Tags {
                granularity: owned(tags.granularity),
                unit: owned(tags.unit),
            },
            period: None,
            periods: Vec::new(),
            day: None,
            days_with_data: 0,
            days: VecDeque::new(),
        }
    }

    pub(super) fn is_of(&self, data_type: &DataType, tags: &Tags<'_>) -> bool {
        self.data_type == *data_type && self.tags == *tags
    }

    /// Takes a value; tells whether a period begins with it.
    pub(super) fn take(
        &mut self,
        interval: Interval,
        day: Day,
        instant: Timestamp,
        value: f64,
    ) -> bool {
        match &mut self.day {
            Some((open, values)) if *open == day => values.take(instant, value),
            _ => {
                self.close_day();
                self.day = Some((day, OpenPeriod::new(interval, instant, value)));
            }
        }
        match &mut self.period {
            Some(period) if period.interval() == interval => {
                period.take(instant, value);
                false
            }
            _ => {
                self.close_period();
                self.period = Some(OpenPeriod::new(interval, instant, value));
                true
            }
        }
    }

    fn close_period(&mut self) {
        let period = self.period.take();
        self.periods.extend(period.and_then(OpenPeriod::finish));
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
        if self.days.len() == MOST_DAYS {
            self.days.pop_front();
        }
        self.days.push_back((date, number));
    }

    pub(super) fn finish(mut self, days: u32) -> Series {
        self.close_period();
        self.close_day();
        let newest = self.days.make_contiguous();
        let adds_up = self.daily == DailyAggregation::Sum;
        Series {
            usual: usual(newest, adds_up),
            change: change(newest, adds_up),
            data_type: self.data_type,
            granularity: self.tags.granularity.map(Cow::into_owned),
            unit: self.tags.unit.map(Cow::into_owned),
            adds_up,
            periods: self.periods,
            coverage: Coverage {
                days_with_data: self.days_with_data,
                days,
            },
        }
    }
}

fn enough(days: &[(Date, f64)], whole: bool, needed: usize) -> Result<(), TooFewDays> {
    let found = days.len();
    if found < needed {
        return Err(TooFewDays::Days {
            needed,
            found,
            whole,
        });
    }
    Ok(())
}

fn usual(days: &[(Date, f64)], whole: bool) -> Result<Usual, TooFewDays> {
    enough(days, whole, FEWEST_FOR_USUAL)?;
    let values = || days.iter().map(|(_, value)| *value);
    let middle = median(values()).unwrap_or_default();
    let deviation = median(values().map(|value| (value - middle).abs()));
    Ok(Usual {
        median: middle,
        deviation: deviation.unwrap_or_default(),
        days: days.len(),
    })
}

fn change(days: &[(Date, f64)], whole: bool) -> Result<Change, TooFewDays> {
    enough(days, whole, FEWEST_FOR_CHANGE)?;
    let first = days[0].0;
    let point = |(date, value): &(Date, f64)| (f64::from((*date - first).get_days()), *value);
    let points: Vec<(f64, f64)> = days.iter().map(point).collect();
    let trend = Trend::of(&points).ok_or(TooFewDays::NoChange)?;
    Ok(Change {
        slope_per_day: trend.slope,
        direction: trend.direction(),
        strength: trend.strength(),
        days: days.len(),
    })
}
