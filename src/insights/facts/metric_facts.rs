use jiff::SignedDuration;

use super::fact::{Period, Statistic, TimeWindow};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use crate::domain::vocabulary::convert;
use crate::statistics::{GlucoseControl, median};

/// Maximum interval of the readings of a continuous glucose monitor.
const MAX_CGM_INTERVAL: SignedDuration = SignedDuration::from_mins(15);
/// Minimum window for time in range.
const MIN_WINDOW_FOR_SHARES: SignedDuration = SignedDuration::from_hours(24);
/// Minimum window for the glucose management indicator, which stands for the
/// mean of three months.
const MIN_WINDOW_FOR_GMI: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Minimum number of readings in a half hour for a meaningful median.
const MIN_READINGS_FOR_RESTING: usize = 3;

impl FactBuilder<'_, '_> {
    /// Adds time in range and related facts, if a continuous glucose monitor was
    /// worn for long enough.
    pub fn add_glucose_facts(
        &mut self,
        period: (Period, TimeWindow),
        observations: &[&Observation],
    ) {
        let Some(metric) = self
            .series
            .metric
            .filter(|metric| metric.name == "blood_glucose")
        else {
            return;
        };
        let length = period.1.end.duration_since(period.1.start);
        if length < MIN_WINDOW_FOR_SHARES {
            return;
        }
        let unit = self.series.unit.label();
        let values: Option<Vec<f64>> = observations
            .iter()
            .map(|observation| convert(observation.value.get(), unit?.as_str(), &metric.unit))
            .collect();
        let Some(control) = values
            .filter(|_| is_covered(observations, period.1))
            .and_then(|values| GlucoseControl::from_values(&values))
        else {
            return;
        };
        for (statistic, value) in [
            (Statistic::TimeInRange, control.in_range),
            (Statistic::TimeVeryLow, control.very_low),
            (Statistic::TimeLow, control.low),
            (Statistic::TimeHigh, control.high),
            (Statistic::TimeVeryHigh, control.very_high),
            (
                Statistic::CoefficientOfVariation,
                control.coefficient_of_variation,
            ),
        ] {
            self.push(statistic, period, value, observations);
        }
        if length >= MIN_WINDOW_FOR_GMI {
            let value = control.management_indicator;
            self.push(
                Statistic::GlucoseManagementIndicator,
                period,
                value,
                observations,
            );
        }
    }

    /// Adds the lowest median heart rate of the half hours that start on the hour
    /// or half past.
    pub fn add_resting_estimate(
        &mut self,
        period: Period,
        month: TimeWindow,
        observations: &[&Observation],
    ) {
        const HALF_AN_HOUR: i64 = 1_800;
        let half_hour = |observation: &Observation| observation.at.as_second() / HALF_AN_HOUR;
        let lowest = observations
            .chunk_by(|one, other| half_hour(one) == half_hour(other))
            .filter(|readings| readings.len() >= MIN_READINGS_FOR_RESTING)
            .filter_map(|readings| {
                let values = readings.iter().map(|observation| observation.value.get());
                Some((median(values)?, readings))
            })
            .min_by(|(one, _), (other, _)| one.total_cmp(other));
        if let Some((resting, readings)) = lowest {
            self.push(
                Statistic::RestingEstimate,
                (period, month),
                resting,
                readings,
            );
        }
    }
}

/// Returns true if the readings cover most of the window, given their median
/// interval.
fn is_covered(observations: &[&Observation], window: TimeWindow) -> bool {
    let gaps = observations
        .windows(2)
        .map(|pair| pair[0].at.duration_since(pair[1].at).as_secs_f64());
    let Some(interval) = median(gaps) else {
        return false;
    };
    if interval <= 0.0 || interval > MAX_CGM_INTERVAL.as_secs_f64() {
        return false;
    }
    let expected = window.end.duration_since(window.start).as_secs_f64() / interval;
    observations.len() as f64 / expected >= GlucoseControl::SUFFICIENT_COVERAGE
}
