use jiff::Timestamp;

use super::Interval;
use super::median::{Median, MedianEstimator};

/// The readings of a period, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodSummary {
    /// Which period.
    pub interval: Interval,
    /// How many readings, at least one.
    pub count: u64,
    /// The least value.
    pub min: f64,
    /// The greatest value.
    pub max: f64,
    /// Their sum.
    pub sum: f64,
    /// The value in the middle.
    pub median: Median,
    /// The oldest value.
    pub first: f64,
    /// The newest value.
    pub last: f64,
}

impl PeriodSummary {
    /// The arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// A period while readings of it come.
pub(super) struct PeriodAccumulator {
    interval: Interval,
    count: u64,
    min: f64,
    max: f64,
    sum: f64,
    /// What the sum has lost (Neumaier, "Rundungsfehleranalyse einiger Verfahren
    /// zur Summation endlicher Summen", ZAMM 54(1), 1974).
    lost: f64,
    first: (Timestamp, f64),
    last: (Timestamp, f64),
    median: MedianEstimator,
}

impl PeriodAccumulator {
    pub(super) fn new(interval: Interval, instant: Timestamp, value: f64) -> Self {
        let mut period = Self {
            interval,
            count: 0,
            min: value,
            max: value,
            sum: 0.0,
            lost: 0.0,
            first: (instant, value),
            last: (instant, value),
            median: MedianEstimator::new(),
        };
        period.push(instant, value);
        period
    }

    pub(super) fn interval(&self) -> Interval {
        self.interval
    }

    pub(super) fn push(&mut self, instant: Timestamp, value: f64) {
        self.count += 1;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let sum = self.sum + value;
        self.lost += if self.sum.abs() >= value.abs() {
            (self.sum - sum) + value
        } else {
            (value - sum) + self.sum
        };
        self.sum = sum;
        // Within a millisecond readings come in no order of time.
        if instant < self.first.0 {
            self.first = (instant, value);
        }
        if instant >= self.last.0 {
            self.last = (instant, value);
        }
        self.median.push(value);
    }

    /// The summary of what came; there is always something.
    pub(super) fn finish(self) -> Option<PeriodSummary> {
        let median = self.median.finish()?;
        Some(PeriodSummary {
            interval: self.interval,
            count: self.count,
            min: self.min,
            max: self.max,
            sum: self.sum + self.lost,
            median: Median {
                // A sketch may lie a little beyond.
                value: median.value.clamp(self.min, self.max),
                ..median
            },
            first: self.first.1,
            last: self.last.1,
        })
    }
}
