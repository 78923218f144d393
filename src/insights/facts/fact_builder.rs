use jiff::civil::Date;

use super::days::Days;
use super::fact::{Fact, FactIds, Period, Statistic, TimeWindow};
use super::observation::Observation;
use super::series::Series;
use crate::domain::vocabulary::DailyAggregation;

/// Gathers the facts of one series.
pub struct FactBuilder<'a, 'b> {
    pub series: &'a Series<'b>,
    /// The local day that may not be over.
    pub today: Date,
    pub ids: &'a mut FactIds,
    pub facts: Vec<Fact>,
}

impl FactBuilder<'_, '_> {
    pub fn push(
        &mut self,
        statistic: Statistic,
        (period, window): (Period, TimeWindow),
        value: f64,
        rests_on: &[&Observation],
    ) -> &mut Fact {
        let unit = match statistic {
            Statistic::Count | Statistic::Suspect | Statistic::Outliers => None,
            Statistic::Days => Some("d".to_owned()),
            Statistic::LongestGap => Some("h".to_owned()),
            Statistic::TrendPerDay => self.series.unit.map(|unit| format!("{unit}/d")),
            Statistic::TimeInRange
            | Statistic::TimeVeryLow
            | Statistic::TimeLow
            | Statistic::TimeHigh
            | Statistic::TimeVeryHigh
            | Statistic::CoefficientOfVariation
            | Statistic::GlucoseManagementIndicator => Some("%".to_owned()),
            _ => self.series.unit.map(str::to_owned),
        };
        self.facts.push(Fact {
            fact_id: self.ids.next(),
            metric: self.series.data_type.to_owned(),
            statistic,
            window,
            value,
            unit,
            n: rests_on.len(),
            reading_ids: rests_on
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

    /// The days that are over, of what adds up; else also the one that may not
    /// be over.
    pub fn whole_days<'o>(
        &self,
        window: TimeWindow,
        observations: &[&'o Observation],
    ) -> Option<Days<'o>> {
        let aggregation = self.aggregation();
        // Last night's sleep is whole, unlike today's steps.
        let goes_on = aggregation == DailyAggregation::Sum
            && self.series.metric.is_some_and(|metric| !metric.is_sleep());
        let end = goes_on.then_some(self.today);
        Days::between(window.start, end, observations, aggregation)
            .filter(|days| !days.values.is_empty())
    }

    pub fn aggregation(&self) -> DailyAggregation {
        self.series
            .metric
            .map_or(DailyAggregation::Mean, |metric| metric.daily)
    }
}
