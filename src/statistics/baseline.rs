use super::median;

/// How many spreads from the median a number is an outlier.
///
/// Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993), label
/// modified z-scores beyond 3.5.
pub const OUTLIER_SCORE: f64 = 3.5;

/// Makes the median absolute deviation of normally distributed numbers their
/// standard deviation: 1 / Φ⁻¹(3/4).
const NORMAL_CONSISTENCY: f64 = 1.482_6;

/// What is usual: a middle and a spread that single odd numbers do not move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// The median.
    pub median: f64,
    /// The median absolute deviation from it, times 1.4826.
    pub spread: f64,
}

impl Baseline {
    /// What is usual among `numbers`; `None` if there are none.
    pub fn from_values(numbers: &[f64]) -> Option<Self> {
        let middle = median(numbers.iter().copied())?;
        let deviation = median(numbers.iter().map(|number| (number - middle).abs()))?;
        Some(Self {
            median: middle,
            spread: NORMAL_CONSISTENCY * deviation,
        })
    }

    /// Whether `number` is more than [`OUTLIER_SCORE`] spreads from the median.
    /// Where there is no spread, nothing can be said to be.
    pub fn is_outlier(&self, number: f64) -> bool {
        self.spread > 0.0 && (number - self.median).abs() / self.spread > OUTLIER_SCORE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_its_deviation_by_hand() {
        // Median 2; deviations 1 1 0 0 2 4 7, of which the median is 1.
        let baseline = Baseline::from_values(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]).unwrap();
        assert_eq!(baseline.median, 2.0);
        assert!((baseline.spread - 1.482_6).abs() < 1e-12);
        assert!(baseline.is_outlier(9.0), "4.72 spreads away");
        assert!(!baseline.is_outlier(6.0), "2.70 spreads away");
        assert_eq!(Baseline::from_values(&[]), None);
    }

    #[test]
    fn without_a_spread_nothing_is_an_outlier() {
        let baseline = Baseline::from_values(&[5.0, 5.0, 5.0, 100.0]).unwrap();
        assert_eq!(baseline.spread, 0.0);
        assert!(!baseline.is_outlier(100.0));
    }
}
