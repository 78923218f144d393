//! Context of an answer: the question and the facts that bear on it.

mod notices;
mod selection;

use jiff::Timestamp;

use self::notices::{Notices, Scope};
use self::selection::select;
use super::facts::{
    DataTypeLabel, Evidence, Fact, FactIds, MetricSummary, Observation, ObservedSpan, Series,
    group_into_series, summarize, unify_units,
};
use super::question::{Intent, Question};
use super::safety;

/// All that an answer may state: the question, and the facts that bear on it.
pub struct AnalysisContext {
    /// The question.
    pub question: Question,
    /// The parsed question.
    pub intent: Intent,
    /// The computed facts, most relevant series first.
    pub summaries: Vec<MetricSummary>,
    /// Data that the question needs and that does not exist.
    pub missing: Vec<String>,
    /// Limitations of the answer as a whole, in one sentence.
    pub note: Option<String>,
    /// True if older readings or further series are left out.
    pub is_partial: bool,
    /// True if the client asked that no readings be used.
    pub is_withheld: bool,
    /// The current time.
    pub now: Timestamp,
}

/// Names the data types of `selected` series: known ones by the vocabulary, others by
/// their position.
fn labels<'a>(selected: &'a [&Series<'_>]) -> impl Iterator<Item = DataTypeLabel> + 'a {
    let mut unknown: Vec<&str> = Vec::new();
    for series in selected {
        if series.metric.is_none() && !unknown.contains(&series.data_type) {
            unknown.push(series.data_type);
        }
    }
    selected.iter().map(move |series| match series.metric {
        Some(metric) => DataTypeLabel::known(metric),
        None => {
            let position = unknown.iter().position(|name| *name == series.data_type);
            DataTypeLabel::unknown(position.unwrap_or_default(), unknown.len())
        }
    })
}

/// Maximum number of facts in a prompt, to bound its size. Those of the first
/// series come first.
const MAX_SENT_FACTS: usize = 200;

impl AnalysisContext {
    /// Parses `question` and computes the facts that bear on it.
    pub fn new(question: Question, evidence: Evidence, now: Timestamp) -> Self {
        match evidence {
            Evidence::Withheld => {
                let mut context = Self::empty(question, now);
                context.is_withheld = true;
                context
                    .missing
                    .push("readings, which were not to be looked at".to_owned());
                context
            }
            Evidence::Readings {
                observations,
                ahead,
                ..
            } if observations.is_empty() && ahead.is_empty() => {
                let mut context = Self::empty(question, now);
                context
                    .missing
                    .push("readings: none are stored for this user yet".to_owned());
                context
            }
            Evidence::Readings {
                observations,
                ahead,
                complete,
            } => Self::analyze(question, observations, &ahead, complete, now),
        }
    }

    fn empty(question: Question, now: Timestamp) -> Self {
        Self {
            intent: Intent::parse(question.as_str(), []),
            question,
            summaries: Vec::new(),
            missing: Vec::new(),
            note: None,
            is_partial: false,
            is_withheld: false,
            now,
        }
    }

    fn analyze(
        question: Question,
        mut observations: Vec<Observation>,
        ahead: &[Observation],
        complete: bool,
        now: Timestamp,
    ) -> Self {
        let unjudged = safety::unjudged(&observations, ahead);
        let observed = ObservedSpan::new(&observations, complete);
        unify_units(&mut observations);
        let all = group_into_series(&observations);
        let others = all
            .iter()
            .filter(|series| series.metric.is_none())
            .map(|series| series.data_type);
        let intent = Intent::parse(question.as_str(), others);
        let (selected, not_found) = select(&all, &intent);
        let needs_resting = all
            .iter()
            .all(|series| series.data_type != "resting_heart_rate");
        let mut ids = FactIds::default();
        let summaries: Vec<MetricSummary> = selected
            .iter()
            .zip(labels(&selected))
            .filter_map(|(series, label)| {
                summarize(series, observed, now, needs_resting, label, &mut ids)
            })
            .collect();
        let left_out = if intent.mentions.is_empty() {
            all.len() - summaries.len()
        } else {
            0
        };
        let Notices { note, missing } = Notices::new(&Scope {
            intent: &intent,
            summaries: &summaries,
            series: &all,
            not_found: &not_found,
            readings: observations.len(),
            complete,
            left_out,
            ahead: ahead.len(),
            unjudged: &unjudged,
            now,
        });
        Self {
            intent,
            question,
            summaries,
            missing,
            note,
            is_partial: !complete || left_out > 0,
            is_withheld: false,
            now,
        }
    }

    /// Returns the facts that may be sent to a model: those of data types in the
    /// vocabulary. Other names could be any text.
    pub fn sent_facts(&self) -> impl Iterator<Item = &Fact> {
        self.summaries
            .iter()
            .filter(|summary| summary.metric.is_some())
            .flat_map(|summary| {
                let facts = summary.facts.iter();
                facts.filter(|fact| summary.is_self_explanatory(fact))
            })
            .take(MAX_SENT_FACTS)
    }

    /// Returns the fact of this id, if it may be sent to a model.
    pub fn citable(&self, id: &str) -> Option<&Fact> {
        self.sent_facts().find(|fact| fact.fact_id == id)
    }

    /// Returns the summary that contains `fact`.
    pub fn summary_of(&self, fact: &Fact) -> Option<&MetricSummary> {
        self.summaries
            .iter()
            .find(|summary| summary.facts.iter().any(|own| own.fact_id == fact.fact_id))
    }

    /// Returns the advice with which the answer starts if nothing of the question is
    /// understood: it may describe an emergency.
    pub fn emergency_advice(&self) -> Option<String> {
        (!self.intent.is_understood)
            .then(|| safety::emergency_advice(self.question.emergency_number()))
    }

    /// Returns the number of whole days since `instant`.
    pub fn days_ago(&self, instant: Timestamp) -> i64 {
        (self.now.duration_since(instant).as_hours() / 24).max(0)
    }
}
