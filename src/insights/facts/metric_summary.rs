use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::fact::{Fact, Period, Statistic, WindowLength};
use crate::domain::vocabulary::{self, DailyAggregation, Metric};
use crate::insights::text::spoken_name;

/// An older newest reading says little of now.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What was computed of one series.
#[derive(Debug, Clone)]
pub struct MetricSummary {
    /// The data type as clients name it.
    pub data_type: String,
    /// The data type as the vocabulary knows it.
    pub metric: Option<&'static Metric>,
    /// The unit of its values.
    pub unit: Option<String>,
    /// When and on which local day the newest reading was measured.
    pub newest: (Timestamp, Date),
    /// The local day that it is now, by the same clock.
    pub today: Date,
    /// Local days of the longest window that have readings.
    pub days: BTreeSet<Date>,
    /// Readings in the longest window.
    pub readings: usize,
    /// Which of several series it is, in words; `None` where there is one.
    pub choice: Option<String>,
    /// The facts.
    pub facts: Vec<Fact>,
}

impl MetricSummary {
    /// The fact of this statistic over this long, or over what was looked at
    /// of it.
    pub fn fact(&self, statistic: Statistic, span: WindowLength) -> Option<&Fact> {
        self.facts
            .iter()
            .find(|fact| fact.statistic == statistic && fact.period.covers(span))
    }

    /// The sum of the local day before today.
    pub fn sum_of_yesterday(&self) -> Option<&Fact> {
        self.sum_of(self.today.yesterday().ok()?)
    }

    /// The sum of this local day.
    pub fn sum_of(&self, day: Date) -> Option<&Fact> {
        let is_of_day =
            |fact: &&Fact| matches!(fact.period, Period::LocalDay { date, .. } if date == day);
        self.facts.iter().find(is_of_day)
    }

    /// Whether its values add up.
    pub fn adds_up(&self) -> bool {
        self.metric
            .is_some_and(|metric| metric.daily == DailyAggregation::Sum)
    }

    /// The name of the data type where it is known, else what the client calls it.
    pub fn name(&self) -> &str {
        self.metric
            .map_or(self.data_type.as_str(), |metric| metric.name.as_str())
    }

    /// Whether a sentence can tell the fact without explaining it: single
    /// readings of what adds up are parts of days, and a unit that is not known
    /// could be any text.
    pub fn is_self_explanatory(&self, fact: &Fact) -> bool {
        let is_of_parts = matches!(
            fact.statistic,
            Statistic::Min
                | Statistic::P10
                | Statistic::Median
                | Statistic::Mean
                | Statistic::P90
                | Statistic::Max
                | Statistic::Last
        );
        let unit = fact.unit.as_deref();
        let unit = unit.map(|unit| unit.strip_suffix("/d").unwrap_or(unit));
        let has_known_unit = unit.is_none_or(|unit| unit == "d" || vocabulary::is_unit(unit));
        !(is_of_parts && self.adds_up()) && has_known_unit
    }

    /// Whether the newest reading says little of `now`.
    pub fn is_old(&self, now: Timestamp) -> bool {
        now.duration_since(self.newest.0) > RECENT
    }

    /// What people call it.
    pub fn label(&self) -> String {
        spoken_name(&self.data_type)
    }

    /// The longest span that was looked at whole, up to `span`.
    pub fn longest_up_to(&self, span: WindowLength) -> WindowLength {
        WindowLength::ALL
            .into_iter()
            .filter(|shorter| *shorter <= span)
            .find(|shorter| self.facts.iter().any(|fact| fact.period.covers(*shorter)))
            .unwrap_or(span)
    }
}
