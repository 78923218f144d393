use jiff::Timestamp;

use super::compensated_sum::CompensatedSum;
use super::median::MedianEstimator;
use crate::domain::vocabulary::DailyAggregation;

/// Accumulates the one value that stands for a day. Numbers are kept only for a median.
pub(super) enum DailyValue {
    Sum(CompensatedSum),
    Mean(CompensatedSum, u64),
    Median(MedianEstimator),
    Last(Timestamp, f64),
}

impl DailyValue {
    /// Creates the value of a day with a first reading.
    pub(super) fn new(aggregation: DailyAggregation, instant: Timestamp, value: f64) -> Self {
        let mut day = match aggregation {
            DailyAggregation::Sum => Self::Sum(CompensatedSum::default()),
            DailyAggregation::Mean => Self::Mean(CompensatedSum::default(), 0),
            DailyAggregation::Median => Self::Median(MedianEstimator::new()),
            DailyAggregation::Last => Self::Last(instant, value),
        };
        day.push(instant, value);
        day
    }

    pub(super) fn push(&mut self, instant: Timestamp, value: f64) {
        match self {
            Self::Sum(sum) => sum.add(value),
            Self::Mean(sum, count) => {
                sum.add(value);
                *count += 1;
            }
            Self::Median(median) => median.push(value),
            // Readings within one millisecond arrive in any order.
            Self::Last(last, newest) => {
                if instant >= *last {
                    (*last, *newest) = (instant, value);
                }
            }
        }
    }

    /// Returns the value of the day.
    pub(super) fn finish(self) -> Option<f64> {
        Some(match self {
            Self::Sum(sum) => sum.total(),
            Self::Mean(sum, count) => sum.total() / count as f64,
            Self::Median(median) => median.finish()?.value,
            Self::Last(_, value) => value,
        })
    }
}
