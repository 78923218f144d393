//! Histogram of bounded size, with relative precision.

use std::collections::BTreeMap;

use metrics_util::storage::AtomicBucket;
use serde::Serialize;

/// Buckets per doubling of the value: each is about 5 % wide.
const BUCKETS_PER_OCTAVE: f64 = 14.0;

/// Maximum number of distinct values per metric that `CloudWatch` accepts.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
const MAX_VALUES: usize = 100;

/// Samples in buckets of exponential width.
#[derive(Debug, Default)]
pub struct BucketedDistribution {
    buckets: BTreeMap<i32, Bucket>,
    min: f64,
    max: f64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    count: u64,
    sum: f64,
}

/// Distribution in the format of `CloudWatch`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Values {
    values: Vec<f64>,
    counts: Vec<u64>,
    max: f64,
    min: f64,
    count: u64,
    sum: f64,
}

impl BucketedDistribution {
    /// Moves the recorded samples in.
    pub fn record(&mut self, recorded: &AtomicBucket<f64>) {
        recorded.clear_with(|values| values.iter().for_each(|&value| self.add(value)));
    }

    /// Adds a value; negative and non-finite values count as zero.
    fn add(&mut self, value: f64) {
        let value = if value.is_finite() {
            value.max(0.0)
        } else {
            0.0
        };
        if self.buckets.is_empty() {
            (self.min, self.max) = (value, value);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        let bucket = self.buckets.entry(bucket_index(value)).or_default();
        bucket.count += 1;
        bucket.sum += value;
    }

    /// Removes and returns the samples; `None` if there are none. Each value is the
    /// mean of its bucket, which preserves the sum.
    pub fn drain(&mut self) -> Option<Values> {
        let mut buckets = std::mem::take(&mut self.buckets);
        if buckets.is_empty() {
            return None;
        }
        while buckets.len() > MAX_VALUES {
            let mut wider: BTreeMap<i32, Bucket> = BTreeMap::new();
            for (index, bucket) in buckets {
                let merged = wider.entry(index.div_euclid(2)).or_default();
                merged.count += bucket.count;
                merged.sum += bucket.sum;
            }
            buckets = wider;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of one minute")]
        let mean = |bucket: &Bucket| rounded(bucket.sum / bucket.count as f64);
        Some(Values {
            values: buckets.values().map(mean).collect(),
            counts: buckets.values().map(|bucket| bucket.count).collect(),
            max: self.max,
            min: self.min,
            count: buckets.values().map(|bucket| bucket.count).sum(),
            sum: buckets.values().map(|bucket| bucket.sum).sum(),
        })
    }
}

/// Returns the bucket of a value.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the logarithm of a double is within ±1,100"
)]
fn bucket_index(value: f64) -> i32 {
    if value > 0.0 {
        (value.log2() * BUCKETS_PER_OCTAVE).floor() as i32
    } else {
        i32::MIN
    }
}

/// Rounds to four significant digits: more would exceed the bucket's precision.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drained(values: &[f64]) -> Option<Values> {
        let recorded = AtomicBucket::new();
        values.iter().for_each(|&value| recorded.push(value));
        let mut distribution = BucketedDistribution::default();
        distribution.record(&recorded);
        let drained = distribution.drain();
        assert!(distribution.drain().is_none(), "drained twice");
        drained
    }

    #[test]
    fn empty_distribution_has_no_values() {
        assert!(drained(&[]).is_none());
    }

    #[test]
    fn invalid_values_count_as_zero() {
        let values = drained(&[f64::NAN, -1.0, f64::INFINITY, 0.0]).unwrap();
        assert_eq!((values.values, values.counts), (vec![0.0], vec![4]));
    }

    proptest! {
        #[test]
        fn values_are_bounded_and_preserve_count_and_sum(
            values in proptest::collection::vec(1e-9_f64..1e9, 1..500)
        ) {
            let drained = drained(&values).unwrap();
            prop_assert!(drained.values.len() <= MAX_VALUES);
            prop_assert_eq!(drained.values.len(), drained.counts.len());
            prop_assert_eq!(drained.counts.iter().sum::<u64>(), values.len() as u64);
            prop_assert_eq!(drained.count, values.len() as u64);
            let sum: f64 = values.iter().sum();
            prop_assert!((drained.sum - sum).abs() <= sum * 1e-9);
            let weighted: f64 = drained.values.iter().zip(&drained.counts).map(|(v, &n)| v * n as f64).sum();
            prop_assert!((weighted - sum).abs() <= sum * 1e-3);
            prop_assert!(drained.values.is_sorted());
        }

        #[test]
        fn values_in_a_narrow_range_are_within_five_percent(
            values in proptest::collection::vec(0.01_f64..1.0, 1..200)
        ) {
            let drained = drained(&values).unwrap();
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let reported = drained.values.iter().zip(&drained.counts).flat_map(|(&value, &count)| {
                std::iter::repeat_n(value, usize::try_from(count).unwrap())
            });
            for (reported, exact) in reported.zip(sorted) {
                prop_assert!((reported / exact - 1.0).abs() <= 0.052, "{reported} for {exact}");
            }
        }
    }
}
