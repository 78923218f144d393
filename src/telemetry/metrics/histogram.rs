//! A distribution that takes little room, however much is recorded.

use std::collections::BTreeMap;

use metrics_util::storage::AtomicBucket;
use serde::Serialize;

/// Buckets to a doubling of the value: one is about 5 % wide.
const BUCKETS_PER_OCTAVE: f64 = 14.0;

/// The most values that `CloudWatch` takes of one metric.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
const MAX_VALUES: usize = 100;

/// What was recorded, in buckets that grow with the value.
#[derive(Debug, Default)]
pub struct BucketedDistribution {
    buckets: BTreeMap<i32, Bucket>,
    least: f64,
    most: f64,
}

#[derive(Debug, Default, Clone, Copy)]
struct Bucket {
    count: u64,
    sum: f64,
}

/// A distribution as `CloudWatch` takes it.
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
    /// Takes in what was recorded.
    pub fn record(&mut self, recorded: &AtomicBucket<f64>) {
        recorded.clear_with(|values| values.iter().for_each(|&value| self.add(value)));
    }

    /// Takes in one value; what is no number above zero counts as zero.
    fn add(&mut self, value: f64) {
        let value = if value.is_finite() {
            value.max(0.0)
        } else {
            0.0
        };
        if self.buckets.is_empty() {
            (self.least, self.most) = (value, value);
        }
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        let bucket = self.buckets.entry(bucket_index(value)).or_default();
        bucket.count += 1;
        bucket.sum += value;
    }

    /// What there is, and nothing is left; `None` if there is nothing. Each
    /// value is the mean of its bucket, so that their sum is right.
    pub fn drain(&mut self) -> Option<Values> {
        let mut buckets = std::mem::take(&mut self.buckets);
        if buckets.is_empty() {
            return None;
        }
        while buckets.len() > MAX_VALUES {
            let mut wider: BTreeMap<i32, Bucket> = BTreeMap::new();
            for (place, bucket) in buckets {
                let two = wider.entry(place.div_euclid(2)).or_default();
                two.count += bucket.count;
                two.sum += bucket.sum;
            }
            buckets = wider;
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of one minute")]
        let mean = |bucket: &Bucket| rounded(bucket.sum / bucket.count as f64);
        Some(Values {
            values: buckets.values().map(mean).collect(),
            counts: buckets.values().map(|bucket| bucket.count).collect(),
            max: self.most,
            min: self.least,
            count: buckets.values().map(|bucket| bucket.count).sum(),
            sum: buckets.values().map(|bucket| bucket.sum).sum(),
        })
    }
}

/// The bucket of a value.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a double's logarithm is within 1,100"
)]
fn bucket_index(value: f64) -> i32 {
    if value > 0.0 {
        (value.log2() * BUCKETS_PER_OCTAVE).floor() as i32
    } else {
        i32::MIN
    }
}

/// Four significant digits: more would say more than the bucket knows.
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
        assert!(distribution.drain().is_none(), "nothing is told twice");
        drained
    }

    #[test]
    fn nothing_recorded_is_nothing_told() {
        assert!(drained(&[]).is_none());
    }

    #[test]
    fn what_is_no_duration_counts_as_zero() {
        let values = drained(&[f64::NAN, -1.0, f64::INFINITY, 0.0]).unwrap();
        assert_eq!((values.values, values.counts), (vec![0.0], vec![4]));
    }

    proptest! {
        #[test]
        fn count_and_sum_are_kept_in_at_most_a_hundred_values(
            values in proptest::collection::vec(1e-9_f64..1e9, 1..500)
        ) {
            let told = drained(&values).unwrap();
            prop_assert!(told.values.len() <= MAX_VALUES);
            prop_assert_eq!(told.values.len(), told.counts.len());
            prop_assert_eq!(told.counts.iter().sum::<u64>(), values.len() as u64);
            prop_assert_eq!(told.count, values.len() as u64);
            let sum: f64 = values.iter().sum();
            prop_assert!((told.sum - sum).abs() <= sum * 1e-9);
            let weighted: f64 = told.values.iter().zip(&told.counts).map(|(v, &n)| v * n as f64).sum();
            prop_assert!((weighted - sum).abs() <= sum * 1e-3);
            prop_assert!(told.values.is_sorted());
        }

        #[test]
        fn of_values_that_are_not_far_apart_none_is_off_by_more_than_a_twentieth(
            values in proptest::collection::vec(0.01_f64..1.0, 1..200)
        ) {
            let told = drained(&values).unwrap();
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let told = told.values.iter().zip(&told.counts).flat_map(|(&value, &count)| {
                std::iter::repeat_n(value, usize::try_from(count).unwrap())
            });
            for (told, exact) in told.zip(sorted) {
                prop_assert!((told / exact - 1.0).abs() <= 0.052, "{told} for {exact}");
            }
        }
    }
}
