use super::{Summary, standard_deviation};

/// Upper bound of very low glucose (level 2 hypoglycaemia), in mg/dL.
pub const VERY_LOW_MG_PER_DL: f64 = 54.0;
/// Lower bound of the target range, in mg/dL.
const LOW: f64 = 70.0;
/// Upper bound of the target range, in mg/dL.
const HIGH: f64 = 180.0;
/// Lower bound of very high glucose (level 2 hyperglycaemia), in mg/dL.
const VERY_HIGH: f64 = 250.0;

/// Glycaemic control metrics of continuous glucose monitoring (CGM).
///
/// The metrics and their bounds are those of Battelino et al., "Clinical Targets
/// for Continuous Glucose Monitoring Data Interpretation: Recommendations From
/// the International Consensus on Time in Range", Diabetes Care 42(8), 2019.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GlucoseControl {
    /// Time in range: share of readings from 70 to 180 mg/dL, in percent.
    pub in_range: f64,
    /// Share of readings below 54 mg/dL, in percent.
    pub very_low: f64,
    /// Share of readings below 70 mg/dL, including those below 54, in percent.
    pub low: f64,
    /// Share of readings above 180 mg/dL, including those above 250, in percent.
    pub high: f64,
    /// Share of readings above 250 mg/dL, in percent.
    pub very_high: f64,
    /// Standard deviation divided by the mean, in percent.
    pub coefficient_of_variation: f64,
    /// Glucose management indicator (GMI), an estimate of laboratory `HbA1c`, in
    /// percent: 3.31 + 0.02392 × mean (Bergenstal et al., "Glucose Management Indicator
    /// (GMI)", Diabetes Care 41(11), 2018).
    pub management_indicator: f64,
}

impl GlucoseControl {
    /// Minimum share of the expected readings for the metrics to be meaningful
    /// (Battelino et al. 2019, table 1).
    pub const SUFFICIENT_COVERAGE: f64 = 0.7;

    /// Returns the metrics of `readings` in mg/dL, evenly spaced in time, or
    /// `None` for fewer than two.
    pub fn from_values(readings: &[f64]) -> Option<Self> {
        let mean = Summary::from_values(readings.iter().copied())?.mean;
        let deviation = standard_deviation(readings)?;
        let share = |is_in: fn(f64) -> bool| {
            let count = readings.iter().filter(|reading| is_in(**reading)).count();
            100.0 * count as f64 / readings.len() as f64
        };
        Some(Self {
            in_range: share(|reading| (LOW..=HIGH).contains(&reading)),
            very_low: share(|reading| reading < VERY_LOW_MG_PER_DL),
            low: share(|reading| reading < LOW),
            high: share(|reading| reading > HIGH),
            very_high: share(|reading| reading > VERY_HIGH),
            coefficient_of_variation: 100.0 * deviation / mean,
            management_indicator: 3.31 + 0.023_92 * mean,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_match_counts_by_hand_and_range_includes_its_bounds() {
        let readings = [
            53.0, 54.0, 69.0, 70.0, 100.0, 180.0, 181.0, 250.0, 251.0, 92.0,
        ];
        let control = GlucoseControl::from_values(&readings).unwrap();
        assert_eq!(control.very_low, 10.0);
        assert_eq!(control.low, 30.0);
        assert_eq!(control.in_range, 40.0);
        assert_eq!(control.high, 30.0);
        assert_eq!(control.very_high, 10.0);
        assert_eq!(GlucoseControl::from_values(&[100.0]), None);
    }

    /// Bergenstal et al. 2018, table 2: a mean of 150 mg/dL is a GMI of 6.9 %,
    /// of 200 mg/dL 8.1 %.
    #[test]
    fn management_indicator_matches_published_values() {
        let indicator = |mean: f64| {
            let control = GlucoseControl::from_values(&[mean - 10.0, mean + 10.0]).unwrap();
            (control.management_indicator * 10.0).round() / 10.0
        };
        assert_eq!((indicator(150.0), indicator(200.0)), (6.9, 8.1));
    }

    #[test]
    fn coefficient_of_variation_matches_value_computed_by_hand() {
        // Mean 100, deviations ±20: √(800/1) = 28.284 of 100.
        let control = GlucoseControl::from_values(&[80.0, 120.0]).unwrap();
        assert!((control.coefficient_of_variation - 28.284_271_247).abs() < 1e-9);
    }
}
