use super::median;

/// Modified z-score beyond which a number is an outlier.
///
/// Iglewicz and Hoaglin, "How to Detect and Handle Outliers" (1993), recommend
/// 3.5.
pub const OUTLIER_SCORE: f64 = 3.5;

/// Factor that makes the median absolute deviation a consistent estimator of
/// the standard deviation of a normal distribution: 1 / Φ⁻¹(3/4).
const NORMAL_CONSISTENCY: f64 = 1.482_6;

/// Robust location and spread, insensitive to single outliers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baseline {
    /// The median.
    pub median: f64,
    /// The median absolute deviation (MAD) times 1.4826.
    pub spread: f64,
}

impl Baseline {
    /// Returns the baseline of `numbers`, or `None` if there are none.
    pub fn from_values(numbers: &[f64]) -> Option<Self> {
        let middle = median(numbers.iter().copied())?;
        let deviation = median(numbers.iter().map(|number| (number - middle).abs()))?;
        Some(Self {
            median: middle,
            spread: NORMAL_CONSISTENCY * deviation,
        })
    }

    /// Returns true if `number` is more than [`OUTLIER_SCORE`] spreads from the
    /// median. Without a spread, no number is an outlier.
    pub fn is_outlier(&self, number: f64) -> bool {
        self.spread > 0.0 && (number - self.median).abs() / self.spread > OUTLIER_SCORE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn baseline_matches_values_computed_by_hand() {
        // Median 2; deviations 1 1 0 0 2 4 7, whose median is 1.
        let baseline = Baseline::from_values(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]).unwrap();
        assert_eq!(baseline.median, 2.0);
        assert!((baseline.spread - 1.482_6).abs() < 1e-12);
        assert!(baseline.is_outlier(9.0), "4.72 spreads away");
        assert!(!baseline.is_outlier(6.0), "2.70 spreads away");
        assert_eq!(Baseline::from_values(&[]), None);
    }

    #[test]
    fn zero_spread_has_no_outliers() {
        let baseline = Baseline::from_values(&[5.0, 5.0, 5.0, 100.0]).unwrap();
        assert_eq!(baseline.spread, 0.0);
        assert!(!baseline.is_outlier(100.0));
    }
}
