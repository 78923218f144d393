use std::collections::BTreeSet;

use super::fact::{Period, Statistic, TimeWindow, WindowLength};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use super::observed_span::ObservedSpan;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Percentiles, Summary};

/// Minimum number of values for meaningful 10th and 90th percentiles.
const MIN_VALUES_FOR_PERCENTILES: usize = 10;

impl FactBuilder<'_, '_> {
    /// Adds the facts of each window length.
    pub fn add_window_facts(&mut self, observed: ObservedSpan, newest: &Observation) {
        for span in WindowLength::ALL {
            let Some((period, window)) = observed.window(newest.at, span) else {
                continue;
            };
            let observations = within(&self.series.observations, window);
            self.add_facts_of_window((period, window), observations);
            self.add_glucose_facts((period, window), observations);
        }
    }

    /// Adds the facts of one window.
    pub fn add_facts_of_window(
        &mut self,
        period: (Period, TimeWindow),
        observations: &[&Observation],
    ) {
        let values = || {
            observations
                .iter()
                .map(|observation| observation.value.get())
        };
        let (Some(summary), Some(percentiles)) = (
            Summary::from_values(values()),
            Percentiles::from_values(values()),
        ) else {
            return;
        };
        let days: BTreeSet<_> = observations
            .iter()
            .map(|observation| observation.date())
            .collect();
        self.push(Statistic::Count, period, summary.count as f64, observations);
        self.push(Statistic::Days, period, days.len() as f64, observations);
        let gaps = observations
            .windows(2)
            .map(|pair| pair[0].at.duration_since(pair[1].at));
        if let Some(gap) = gaps.max() {
            let hours = gap.as_secs_f64() / 3_600.0;
            self.push(Statistic::LongestGap, period, hours, observations);
        }
        for (statistic, value) in [(Statistic::Min, summary.min), (Statistic::Max, summary.max)] {
            let holder = observations
                .iter()
                .position(|observation| observation.value.get() == value);
            let holder = holder.map_or(observations, |at| &observations[at..=at]);
            self.push(statistic, period, value, holder).n = summary.count;
        }
        self.push(Statistic::Mean, period, summary.mean, observations);
        self.push(Statistic::Median, period, percentiles.median, observations);
        if summary.count >= MIN_VALUES_FOR_PERCENTILES {
            self.push(Statistic::P10, period, percentiles.p10, observations);
            self.push(Statistic::P90, period, percentiles.p90, observations);
        }
        self.push(
            Statistic::Last,
            period,
            observations[0].value.get(),
            &observations[..1],
        );
        if self.aggregation() == DailyAggregation::Sum {
            self.push(Statistic::Sum, period, values().sum(), observations);
            self.add_daily_sum_facts(period, observations);
        }
    }

    /// Adds the mean and the extremes of the sums of complete local days.
    pub fn add_daily_sum_facts(
        &mut self,
        (period, window): (Period, TimeWindow),
        observations: &[&Observation],
    ) {
        if period == Period::UpToNewest(WindowLength::Day) {
            return;
        }
        let Some(days) = self.whole_days(window, observations) else {
            return;
        };
        let Some(summary) = Summary::from_values(days.numbers()) else {
            return;
        };
        for (statistic, value) in [
            (Statistic::DailyMean, summary.mean),
            (Statistic::DailyMin, summary.min),
            (Statistic::DailyMax, summary.max),
        ] {
            self.push(statistic, (period, days.window), value, &days.observations);
        }
    }

    /// Adds the number of implausible readings, which other facts exclude.
    pub fn add_suspects(&mut self, period: Period, window: TimeWindow) {
        let suspects: Vec<&Observation> = self
            .series
            .suspects
            .iter()
            .copied()
            .filter(|suspect| suspect.at > window.start)
            .collect();
        // The newest reading of all may be implausible.
        let end = suspects.iter().map(|suspect| suspect.at).max();
        let window = TimeWindow {
            end: end.map_or(window.end, |end| end.max(window.end)),
            ..window
        };
        if !suspects.is_empty() {
            let value = suspects.len() as f64;
            self.push(Statistic::Suspect, (period, window), value, &suspects);
        }
    }
}

/// Returns the `observations`, newest first, that lie in a window which ends
/// with the newest.
pub fn within<'a, 'b>(
    observations: &'a [&'b Observation],
    window: TimeWindow,
) -> &'a [&'b Observation] {
    let inside = observations.partition_point(|observation| observation.at > window.start);
    &observations[..inside]
}
