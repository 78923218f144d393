use std::collections::BTreeSet;

use super::fact::{Period, Statistic, TimeWindow, WindowLength};
use super::fact_builder::FactBuilder;
use super::observation::Observation;
use super::observed_span::ObservedSpan;
use crate::domain::vocabulary::DailyAggregation;
use crate::statistics::{Percentiles, Summary};

/// Fewer values have no meaningful tenth.
const FEWEST_FOR_PERCENTILES: usize = 10;

impl FactBuilder<'_, '_> {
    /// What is said of each window alike.
    pub fn windows(&mut self, seen: ObservedSpan, newest: &Observation) {
        for span in WindowLength::ALL {
            let Some((period, window)) = seen.window(newest.at, span) else {
                continue;
            };
            let observations = within(&self.series.observations, window);
            self.window((period, window), observations);
            self.glucose((period, window), observations);
        }
    }

    pub fn window(&mut self, period: (Period, TimeWindow), observations: &[&Observation]) {
        let values = || {
            observations
                .iter()
                .map(|observation| observation.value.get())
        };
        let (Some(summary), Some(distribution)) = (
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
        self.push(Statistic::Median, period, distribution.median, observations);
        if summary.count >= FEWEST_FOR_PERCENTILES {
            self.push(Statistic::P10, period, distribution.p10, observations);
            self.push(Statistic::P90, period, distribution.p90, observations);
        }
        self.push(
            Statistic::Last,
            period,
            observations[0].value.get(),
            &observations[..1],
        );
        if self.aggregation() == DailyAggregation::Sum {
            self.push(Statistic::Sum, period, values().sum(), observations);
            self.sums(period, observations);
        }
    }

    /// The mean and the extremes of the sums of whole local days.
    pub fn sums(&mut self, (period, window): (Period, TimeWindow), observations: &[&Observation]) {
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

    /// What cannot be true and was left out.
    pub fn suspects(&mut self, period: Period, window: TimeWindow) {
        let suspects: Vec<&Observation> = self
            .series
            .suspects
            .iter()
            .copied()
            .filter(|suspect| suspect.at > window.start)
            .collect();
        // The newest of all readings may be one of them.
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

/// Those of `observations`, newest first, that lie in a window up to the newest.
pub fn within<'a, 'b>(
    observations: &'a [&'b Observation],
    window: TimeWindow,
) -> &'a [&'b Observation] {
    let inside = observations.partition_point(|observation| observation.at > window.start);
    &observations[..inside]
}
