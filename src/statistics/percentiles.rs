use statrs::statistics::{Data, OrderStatistics, Statistics};

/// Percentiles of some numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentiles {
    /// A tenth of the numbers lies below.
    pub p10: f64,
    /// Half of the numbers lies below.
    pub median: f64,
    /// A tenth of the numbers lies above.
    pub p90: f64,
}

impl Percentiles {
    /// The percentiles of `numbers`; `None` if there are none.
    ///
    /// They are interpolated as Hyndman and Fan's definition 8, which they
    /// recommend because it does not depend on how the numbers are distributed
    /// ("Sample Quantiles in Statistical Packages", The American Statistician
    /// 50(4), 1996).
    pub fn from_values(numbers: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut data = Data::new(numbers.into_iter().collect::<Vec<f64>>());
        (!data.is_empty()).then(|| Self {
            p10: data.quantile(0.1),
            median: data.median(),
            p90: data.quantile(0.9),
        })
    }
}

/// The number in the middle, or the mean of the two in the middle; `None` if
/// there are none.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut data = Data::new(numbers.into_iter().collect::<Vec<f64>>());
    (!data.is_empty()).then(|| data.median())
}

/// The standard deviation of a sample, with n − 1 in its denominator; `None`
/// for fewer than two numbers.
pub fn standard_deviation(numbers: &[f64]) -> Option<f64> {
    (numbers.len() > 1).then(|| numbers.std_dev())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_definition_8() {
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
    fn medians_and_deviations_by_hand() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([]), None);
        // Squared distances from the mean of 5 sum to 32, over n - 1 = 7.
        let deviation = standard_deviation(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert!((deviation - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(standard_deviation(&[1.0]), None);
    }
}
