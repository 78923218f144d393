mod notices;
mod selection;

use jiff::Timestamp;

use self::notices::{Notices, Scope};
use self::selection::{choose, name};
use super::facts::{
    Evidence, Fact, FactIds, MetricSummary, Observation, ObservedSpan, group_into_series,
    summarize, unify_units,
};
use super::question::{Intent, Question};

/// All that an answer may say: the question, and the facts that bear on it.
pub struct AnalysisContext {
    /// What was asked.
    pub question: Question,
    /// What it asks for.
    pub intent: Intent,
    /// What was computed, by how much it bears on the question.
    pub summaries: Vec<MetricSummary>,
    /// What would be needed and is not there.
    pub missing: Vec<String>,
    /// What is to be known of the answer as a whole, in a sentence.
    pub note: Option<String>,
    /// Whether something was left out.
    pub is_partial: bool,
    /// Whether the asker wants no readings to be looked at.
    pub is_withheld: bool,
    /// What time it is.
    pub now: Timestamp,
}

/// At most how many facts a model is sent; those of the first series come first.
const MOST_SENT: usize = 200;

impl AnalysisContext {
    /// Computes what bears on `question`.
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
            Evidence::Readings { observations, .. } if observations.is_empty() => {
                let mut context = Self::empty(question, now);
                context
                    .missing
                    .push("readings: none are stored for this user yet".to_owned());
                context
            }
            Evidence::Readings {
                observations,
                complete,
            } => Self::analyze(question, observations, complete, now),
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
        complete: bool,
        now: Timestamp,
    ) -> Self {
        let observed = ObservedSpan::new(&observations, complete);
        unify_units(&mut observations);
        let all = group_into_series(&observations);
        let others = all
            .iter()
            .filter(|series| series.metric.is_none())
            .map(|series| series.data_type);
        let intent = Intent::parse(question.as_str(), others);
        let (chosen, not_found) = choose(&all, &intent);
        let needs_resting = all
            .iter()
            .all(|series| name(series) != "resting_heart_rate");
        let mut ids = FactIds::default();
        let summaries: Vec<MetricSummary> = chosen
            .iter()
            .filter_map(|series| summarize(series, observed, now, needs_resting, &mut ids))
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

    /// The facts that a model is sent: those of data types whose names are the
    /// vocabulary's, and not any text.
    pub fn sent_facts(&self) -> impl Iterator<Item = &Fact> {
        self.summaries
            .iter()
            .filter(|summary| summary.metric.is_some())
            .flat_map(|summary| {
                let facts = summary.facts.iter();
                facts.filter(|fact| summary.is_self_explanatory(fact))
            })
            .take(MOST_SENT)
    }

    /// The fact of this id, if it is one that a model is sent.
    pub fn citable(&self, id: &str) -> Option<&Fact> {
        self.sent_facts().find(|fact| fact.fact_id == id)
    }

    /// The summary that a fact belongs to.
    pub fn summary_of(&self, fact: &Fact) -> Option<&MetricSummary> {
        self.summaries
            .iter()
            .find(|summary| summary.facts.iter().any(|own| own.fact_id == fact.fact_id))
    }

    /// How many whole days ago `instant` was.
    pub fn days_ago(&self, instant: Timestamp) -> i64 {
        (self.now.duration_since(instant).as_hours() / 24).max(0)
    }
}
