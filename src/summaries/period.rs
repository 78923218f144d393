use jiff::Timestamp;

use super::Interval;
use super::compensated_sum::CompensatedSum;
use super::median::{Median, MedianEstimator};

/// Aggregates of the readings of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodSummary {
    /// The interval of the period.
    pub interval: Interval,
    /// Number of readings, at least one.
    pub count: u64,
    /// The minimum.
    pub min: f64,
    /// The maximum.
    pub max: f64,
    /// The sum.
    pub sum: f64,
    /// The median.
    pub median: Median,
    /// The value of the oldest reading.
    pub first: f64,
    /// The value of the newest reading.
    pub last: f64,
}

impl PeriodSummary {
    /// Returns the arithmetic mean.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

/// Accumulates the readings of one period.
pub(super) struct PeriodAccumulator {
    interval: Interval,
    count: u64,
    min: f64,
    max: f64,
    sum: CompensatedSum,
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
            sum: CompensatedSum::default(),
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
        self.sum.add(value);
        // Readings within one millisecond arrive in any order.
        if instant < self.first.0 {
            self.first = (instant, value);
        }
        if instant >= self.last.0 {
            self.last = (instant, value);
        }
        self.median.push(value);
    }

    /// Returns the aggregates. They always exist, since an accumulator is
    /// created with a first reading.
    pub(super) fn finish(self) -> Option<PeriodSummary> {
        let median = self.median.finish()?;
        Some(PeriodSummary {
            interval: self.interval,
            count: self.count,
            min: self.min,
            max: self.max,
            sum: self.sum.total(),
            median,
            first: self.first.1,
            last: self.last.1,
        })
    }
}
