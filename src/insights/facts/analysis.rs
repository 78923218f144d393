use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::fact::{Fact, Period, Span, Statistic, TimeWindow};
use super::observation::Observation;
use crate::domain::vocabulary::{DailyAggregation, Metric};

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
    pub fn fact(&self, statistic: Statistic, span: Span) -> Option<&Fact> {
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
}

impl Period {
    /// Whether it is this long, or what was looked at of it.
    pub fn covers(self, span: Span) -> bool {
        self == Self::UpToNewest(span) || (self == Self::Clipped && span == Span::Month)
    }
}

impl Span {
    /// The instant this long before `end`.
    pub fn before(self, end: Timestamp) -> Timestamp {
        end.checked_sub(SignedDuration::from_hours(24 * i64::from(self.days())))
            .unwrap_or(Timestamp::MIN)
    }
}

/// How far back readings were looked at.
#[derive(Debug, Clone, Copy)]
pub struct ObservedSpan {
    /// Every reading after this was.
    after: Timestamp,
}

impl ObservedSpan {
    /// Of `observations`, newest first, which are all there are if `complete`.
    pub fn new(observations: &[Observation], complete: bool) -> Self {
        Self {
            after: match observations.last() {
                // Others of the oldest millisecond may not have been looked at.
                Some(oldest) if !complete => end_of_millisecond(oldest.at),
                _ => Timestamp::MIN,
            },
        }
    }

    /// The window this long up to `end`, as far as it was looked at; `None` if
    /// a shorter one says as much or nothing of it was.
    pub fn window(self, end: Timestamp, span: Span) -> Option<(Period, TimeWindow)> {
        let start = span.before(end);
        if start >= self.after {
            Some((Period::UpToNewest(span), TimeWindow { start, end }))
        } else if span == Span::Month && self.after < end {
            let start = self.after;
            Some((Period::Clipped, TimeWindow { start, end }))
        } else {
            None
        }
    }
}

/// The last instant of the millisecond in which `instant` lies, 1970 or later.
fn end_of_millisecond(instant: Timestamp) -> Timestamp {
    let into_it = instant.subsec_nanosecond() % 1_000_000;
    instant
        .checked_add(SignedDuration::from_nanos(i64::from(999_999 - into_it)))
        .unwrap_or(instant)
}
