use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::fact::{Fact, Period, Statistic, WindowLength};
use crate::domain::vocabulary::{self, DailyAggregation, Metric};
use crate::insights::text::spoken_name;

/// Age beyond which the newest reading says little about the present.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Facts of one series of readings.
#[derive(Debug, Clone)]
pub struct MetricSummary {
    /// The data type under the client's name.
    pub data_type: String,
    /// The data type in the vocabulary, if it is known there.
    pub metric: Option<&'static Metric>,
    /// The unit of the values.
    pub unit: Option<String>,
    /// Time and local date of the newest reading.
    pub newest: (Timestamp, Date),
    /// The current local date, at the UTC offset of the newest reading.
    pub today: Date,
    /// Local dates with readings in the longest window.
    pub days: BTreeSet<Date>,
    /// Number of readings in the longest window.
    pub readings: usize,
    /// Description of the selected series, if there were several.
    pub choice: Option<String>,
    /// The facts.
    pub facts: Vec<Fact>,
}

impl MetricSummary {
    /// Returns the fact of a statistic over a window of this length, or over the
    /// part of it that was read.
    pub fn fact(&self, statistic: Statistic, span: WindowLength) -> Option<&Fact> {
        self.facts
            .iter()
            .find(|fact| fact.statistic == statistic && fact.period.covers(span))
    }

    /// Returns the sum of the local day before the current one.
    pub fn sum_of_yesterday(&self) -> Option<&Fact> {
        self.sum_of(self.today.yesterday().ok()?)
    }

    /// Returns the sum of a local day.
    pub fn sum_of(&self, day: Date) -> Option<&Fact> {
        let is_of_day =
            |fact: &&Fact| matches!(fact.period, Period::LocalDay { date, .. } if date == day);
        self.facts.iter().find(is_of_day)
    }

    /// Returns true if values are cumulative, so that their sum is meaningful.
    pub fn is_cumulative(&self) -> bool {
        self.metric
            .is_some_and(|metric| metric.daily == DailyAggregation::Sum)
    }

    /// Returns the vocabulary's name of the data type, or else the client's.
    pub fn name(&self) -> &str {
        self.metric
            .map_or(self.data_type.as_str(), |metric| metric.name.as_str())
    }

    /// Returns true if a sentence can state the fact without explaining it.
    /// Single readings of cumulative data types are parts of days, and an
    /// unknown unit could be any text.
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
        !(is_of_parts && self.is_cumulative()) && has_known_unit
    }

    /// Returns true if the newest reading is too old to describe `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.newest.0) > STALE_AFTER
    }

    /// Returns the everyday name of the data type.
    pub fn label(&self) -> String {
        spoken_name(&self.data_type)
    }

    /// Returns the longest window with facts that is not longer than `span`.
    pub fn longest_window_within(&self, span: WindowLength) -> WindowLength {
        WindowLength::ALL
            .into_iter()
            .filter(|shorter| *shorter <= span)
            .find(|shorter| self.facts.iter().any(|fact| fact.period.covers(*shorter)))
            .unwrap_or(span)
    }
}
