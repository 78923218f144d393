use statrs::statistics::{Data, OrderStatistics, Statistics};

/// Percentiles of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// The 10th percentile.
    pub p10: f64,
    /// The 50th percentile.
    pub median: f64,
    /// The 90th percentile.
    pub p90: f64,
}

impl Percentiles {
    /// Returns the percentiles of `numbers`, or `None` if there are none.
    ///
    /// Quantiles are interpolated by definition 8 of Hyndman and Fan, who
    /// recommend it because it is approximately median-unbiased whatever the
    /// distribution ("Sample Quantiles in Statistical Packages", The American
    /// Statistician 50(4), 1996).
    pub fn from_values(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut data = Data::new(numbers.into_iter().collect::<Vec<f64>>());
        (!data.is_empty()).then(|| Self {
            p10: data.quantile(0.1),
            median: data.median(),
            p90: data.quantile(0.9),
        })
    }
}

/// Returns the median, the mean of the two middle numbers if their count is
/// even, or `None` if there are none.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut data = Data::new(numbers.into_iter().collect::<Vec<f64>>());
    (!data.is_empty()).then(|| data.median())
}

/// Returns the sample standard deviation (denominator n − 1), or `None` for
/// fewer than two numbers.
pub fn standard_deviation(numbers: &[f64]) -> Option<f64> {
    (numbers.len() > 1).then(|| numbers.std_dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_follow_definition_8() {
        // For 1..=10: h = (n + 1/3)p + 1/3, so p10 lies at 1.3667 and p90 at 9.6333.
        let numbers = (1..=10).rev().map(f64::from);
        let distribution = Percentiles::from_values(numbers).unwrap();
        assert!((distribution.p10 - 1.366_666_666_7).abs() < 1e-9);
        assert!((distribution.p90 - 9.633_333_333_3).abs() < 1e-9);
        assert_eq!(distribution.median, 5.5);
        assert_eq!(Percentiles::from_values([]), None);
        let one = Percentiles::from_values([7.0]).unwrap();
        assert_eq!((one.p10, one.median, one.p90), (7.0, 7.0, 7.0));
    }

    #[test]
    fn medians_and_deviations_match_values_computed_by_hand() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([]), None);
        // Squared distances from the mean of 5 sum to 32, over n - 1 = 7.
        let deviation = standard_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert!((deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(standard_deviation(&[1.0]), None);
    }
}
