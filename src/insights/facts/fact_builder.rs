use jiff::civil::Date;

use super::days::Days;
use super::fact::{Fact, FactIds, FactMetric, Period, Statistic, TimeWindow};
use super::observation::Observation;
use super::series::Series;
use crate::domain::vocabulary::{DailyAggregation, Label};

/// Collects the facts of one series.
pub struct FactBuilder<'a, 'b> {
    /// The series.
    pub series: &'a Series<'b>,
    /// The current local day, which may be incomplete.
    pub today: Date,
    /// Generator of fact ids.
    pub ids: &'a mut FactIds,
    /// The facts collected so far.
    pub facts: Vec<Fact>,
}

impl FactBuilder<'_, '_> {
    /// Adds a fact in the unit of its statistic and returns it.
    pub fn push(
        &mut self,
        statistic: Statistic,
        (period, window): (Period, TimeWindow),
        value: f64,
        evidence: &[&Observation],
    ) -> &mut Fact {
        let unit = match statistic {
            Statistic::Count | Statistic::Suspect | Statistic::Outliers => None,
            Statistic::Days => Some(Label::new("d")),
            Statistic::LongestGap => Some(Label::new("h")),
            Statistic::TrendPerDay => self.series.unit.label().map(Label::per_day),
            Statistic::TimeInRange
            | Statistic::TimeVeryLow
            | Statistic::TimeLow
            | Statistic::TimeHigh
            | Statistic::TimeVeryHigh
            | Statistic::CoefficientOfVariation
            | Statistic::GlucoseManagementIndicator => Some(Label::new("%")),
            _ => self.series.unit.label().cloned(),
        };
        self.facts.push(Fact {
            fact_id: self.ids.next(),
            metric: FactMetric(self.series.metric),
            statistic,
            window,
            value,
            unit,
            n: evidence.len(),
            reading_ids: evidence
                .iter()
                .take(Fact::MAX_READING_IDS)
                .map(|observation| observation.id)
                .collect(),
            period,
            trend: None,
        });
        let last = self.facts.len() - 1;
        &mut self.facts[last]
    }

    /// Returns the daily values of the window. For cumulative data types it
    /// omits the current day, whose sum may still grow; `None` if no day
    /// remains.
    pub fn whole_days<'o>(
        &self,
        window: TimeWindow,
        observations: &[&'o Observation],
    ) -> Option<Days<'o>> {
        let aggregation = self.aggregation();
        // Last night's sleep is complete, unlike today's steps.
        let excludes_today = aggregation == DailyAggregation::Sum
            && self.series.metric.is_some_and(|metric| !metric.is_sleep());
        let end = excludes_today.then_some(self.today);
        Days::between(window.start, end, observations, aggregation)
            .filter(|days| !days.values.is_empty())
    }

    /// Returns the aggregation of a day's values.
    pub fn aggregation(&self) -> DailyAggregation {
        self.series
            .metric
            .map_or(DailyAggregation::Mean, |metric| metric.daily)
    }
}
