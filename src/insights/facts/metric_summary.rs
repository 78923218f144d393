use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::data_type_label::DataTypeLabel;
use super::fact::{Fact, Period, Statistic, WindowLength};
use crate::domain::vocabulary::{DailyAggregation, Metric};

/// Age beyond which the newest reading says little about the present.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Facts of one series of readings.
#[derive(Debug, Clone)]
pub struct MetricSummary {
    /// The data type in the vocabulary, if it is known there.
    pub metric: Option<&'static Metric>,
    /// Name of the data type in sentences.
    pub label: DataTypeLabel,
    /// True if the readings name a unit that is not known.
    pub has_unknown_unit: bool,
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

    /// Returns true if a sentence can state the fact without explaining it.
    /// Single readings of cumulative data types are parts of days, and numbers in an
    /// unknown unit would seem to be in the usual one.
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
        let is_count = matches!(
            fact.statistic,
            Statistic::Count | Statistic::Suspect | Statistic::Outliers
        );
        let lacks_unit = self.has_unknown_unit && fact.unit.is_none() && !is_count;
        let is_part = is_of_parts && self.is_cumulative();
        !(is_part || lacks_unit)
    }

    /// Returns true if the newest reading is too old to describe `now`.
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.duration_since(self.newest.0) > STALE_AFTER
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
