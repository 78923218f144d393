use jiff::SignedDuration;

use super::fact::{Period, Statistic, TimeWindow};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use crate::domain::vocabulary::convert;
use crate::statistics::{GlucoseControl, median};

/// Glucose read more rarely is not from a continuous monitor.
const SLOWEST_MONITOR: SignedDuration = SignedDuration::from_mins(15);
/// A shorter time says nothing of how glucose is kept within bounds.
const SHORTEST_FOR_SHARES: SignedDuration = SignedDuration::from_hours(24);
/// A shorter time says too little of what three months would average to.
const SHORTEST_FOR_INDICATOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Fewer readings in half an hour have no meaningful median.
const FEWEST_FOR_RESTING: usize = 3;

impl FactBuilder<'_, '_> {
    /// Time in range and what goes with it, where a continuous monitor was worn
    /// for long enough.
    pub fn glucose(&mut self, period: (Period, TimeWindow), observations: &[&Observation]) {
        let Some(metric) = self
            .series
            .metric
            .filter(|metric| metric.name == "blood_glucose")
        else {
            return;
        };
        let length = period.1.end.duration_since(period.1.start);
        if length < SHORTEST_FOR_SHARES {
            return;
        }
        let values: Option<Vec<f64>> = observations
            .iter()
            .map(|observation| convert(observation.value.get(), self.series.unit?, &metric.unit))
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
        if length >= SHORTEST_FOR_INDICATOR {
            let value = control.management_indicator;
            self.push(
                Statistic::GlucoseManagementIndicator,
                period,
                value,
                observations,
            );
        }
    }

    /// The lowest median heart rate of the half hours that begin on the hour
    /// or half past.
    pub fn resting(&mut self, period: Period, month: TimeWindow, observations: &[&Observation]) {
        const HALF_AN_HOUR: i64 = 1_800;
        let half_hour = |observation: &Observation| observation.at.as_second() / HALF_AN_HOUR;
        let lowest = observations
            .chunk_by(|one, other| half_hour(one) == half_hour(other))
            .filter(|readings| readings.len() >= FEWEST_FOR_RESTING)
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

/// Whether readings are there for most of the window, judged by how often they
/// come.
fn is_covered(observations: &[&Observation], window: TimeWindow) -> bool {
    let gaps = observations
        .windows(2)
        .map(|pair| pair[0].at.duration_since(pair[1].at).as_secs_f64());
    let Some(cadence) = median(gaps) else {
        return false;
    };
    if cadence <= 0.0 || cadence > SLOWEST_MONITOR.as_secs_f64() {
        return false;
    }
    let expected = window.end.duration_since(window.start).as_secs_f64() / cadence;
    observations.len() as f64 / expected >= GlucoseControl::SUFFICIENT_COVERAGE
}
