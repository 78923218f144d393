use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal};
use utoipa::ToSchema;

use super::median;

/// Linear trend of a time series: Sen's slope and the Mann-Kendall test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Sen's slope: the median of the slopes between all pairs of points.
    pub slope: f64,
    /// Kendall's τ-b between time and value, −1 to 1.
    pub tau: f64,
    /// Two-sided p-value of the Mann-Kendall test.
    pub p_value: f64,
}

/// Direction of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Values increase significantly.
    Rising,
    /// Values decrease significantly.
    Falling,
    /// No statistically significant change.
    Steady,
}

/// Strength of a trend, by Kendall's τ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// |τ| below 0.3.
    Weak,
    /// |τ| from 0.3 to below 0.6.
    Moderate,
    /// |τ| of 0.6 or more.
    Strong,
}

impl Trend {
    /// P-value below which a trend is significant.
    pub const SIGNIFICANCE_LEVEL: f64 = 0.05;

    /// Returns the trend of `(time, value)` points in strictly increasing order
    /// of time, or `None` for fewer than three points or equal values.
    ///
    /// The slope is that of Sen ("Estimates of the Regression Coefficient Based
    /// on Kendall's Tau", JASA 63, 1968). The test is that of Mann (1945) and
    /// Kendall (1975) in the normal approximation, with the variance corrected
    /// for ties and the statistic for continuity, as in Gilbert, "Statistical
    /// Methods for Environmental Pollution Monitoring" (1987), section 16.4.
    pub fn from_points(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
        let mut score = 0.0_f64;
        for (index, (time, value)) in points.iter().enumerate() {
            for (later, next) in &points[index + 1..] {
                slopes.push((next - value) / (later - time));
                score += match next.total_cmp(value) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Less => -1.0,
                    std::cmp::Ordering::Equal => 0.0,
                };
            }
        }
        let pairs = slopes.len() as f64;
        let count = points.len() as f64;
        let (mut tied_pairs, mut ties) = (0.0, 0.0);
        for tie in tie_sizes(points) {
            tied_pairs += tie * (tie - 1.0) / 2.0;
            ties += tie * (tie - 1.0) * (2.0 * tie + 5.0);
        }
        let variance = (count * (count - 1.0) * (2.0 * count + 5.0) - ties) / 18.0;
        let comparable = (pairs * (pairs - tied_pairs)).sqrt();
        if variance <= 0.0 || comparable <= 0.0 {
            return None;
        }
        let corrected = score - score.clamp(-1.0, 1.0);
        Some(Self {
            slope: median(slopes)?,
            tau: score / comparable,
            p_value: 2.0 * Normal::standard().sf((corrected / variance.sqrt()).abs()),
        })
    }

    /// Returns the direction, `Steady` if the trend is not significant.
    pub fn direction(&self) -> Direction {
        if self.p_value >= Self::SIGNIFICANCE_LEVEL || self.slope == 0.0 {
            Direction::Steady
        } else if self.slope > 0.0 {
            Direction::Rising
        } else {
            Direction::Falling
        }
    }

    /// Returns the strength, by the magnitude of Kendall's τ.
    pub fn strength(&self) -> Strength {
        match self.tau.abs() {
            ..0.3 => Strength::Weak,
            0.3..0.6 => Strength::Moderate,
            _ => Strength::Strong,
        }
    }
}

/// Returns the number of points that share each distinct value.
fn tie_sizes(points: &[(f64, f64)]) -> Vec<f64> {
    let mut values: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
        .chunk_by(|one, other| one == other)
        .map(|equal| equal.len() as f64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend_of(values: &[f64]) -> Option<Trend> {
        let points: Vec<(f64, f64)> = (0_u32..)
            .map(f64::from)
            .zip(values.iter().copied())
            .collect();
        Trend::from_points(&points)
    }

    /// Ten rising values: S = 45, Var = 10·9·25/18 = 125, z = 44/√125 = 3.9355.
    #[test]
    fn monotonic_rise_matches_values_computed_by_hand() {
        let values: Vec<f64> = (0..10).map(|day| 60.0 + 0.5 * f64::from(day)).collect();
        let trend = trend_of(&values).unwrap();
        assert!((trend.slope - 0.5).abs() < 1e-12);
        assert!((trend.tau - 1.0).abs() < 1e-12);
        assert!(
            (trend.p_value - 8.303_07e-5).abs() < 1e-8,
            "{}",
            trend.p_value
        );
        assert_eq!(trend.direction(), Direction::Rising);
        assert_eq!(trend.strength(), Strength::Strong);
    }

    /// S = +1−1+1 +(−1)+… by hand for 3 1 3 2: pairs −,0,−,+,+,− give S = −1;
    /// one tie of two: Var = (4·3·13 − 2·1·9)/18 = 7.6667, z = 0.
    #[test]
    fn ties_reduce_the_variance() {
        let trend = trend_of(&[3.0, 1.0, 3.0, 2.0]).unwrap();
        // Slopes −2, 0, −1/3, 2, 1/2, −1: the median lies between −1/3 and 0.
        assert!((trend.slope - (-1.0 / 6.0)).abs() < 1e-12);
        assert!((trend.tau - (-1.0 / 30.0_f64.sqrt())).abs() < 1e-12);
        assert!((trend.p_value - 1.0).abs() < 1e-12);
        assert_eq!(trend.direction(), Direction::Steady);
        assert_eq!(trend.strength(), Strength::Weak);
    }

    /// Falling with one tie, n = 6: S = −14, Var = (6·5·17 − 18)/18 = 27.3333,
    /// z = −13/5.2281 = −2.48655.
    #[test]
    fn fall_with_a_tie_matches_values_computed_by_hand() {
        let trend = trend_of(&[9.0, 8.0, 7.0, 7.0, 5.0, 4.0]).unwrap();
        assert!(
            (trend.p_value - 0.012_899).abs() < 5e-6,
            "{}",
            trend.p_value
        );
        assert_eq!(trend.direction(), Direction::Falling);
    }

    #[test]
    fn slope_accounts_for_gaps_in_time() {
        let trend = Trend::from_points(&[(0.0, 0.0), (10.0, 10.0), (20.0, 20.0)]).unwrap();
        assert_eq!(trend.slope, 1.0);
    }

    #[test]
    fn short_or_constant_series_has_no_trend() {
        assert_eq!(trend_of(&[1.0, 2.0]), None);
        assert_eq!(trend_of(&[4.0; 12]), None);
    }
}
