use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domain::vocabulary;
use crate::insights::answer::render::{capitalize, spoken_name};
use crate::insights::answer::{Confidence, ConfidenceLevel, DataCoverage};
use crate::insights::facts::{Evidence, Observation};
use crate::insights::facts::{Fact, FactIds, Span, Statistic};
use crate::insights::facts::{MetricSummary, ObservedSpan, Series, describe, series, unify_units};
use crate::insights::question::Intent;
use crate::insights::question::Question;
use crate::insights::question::topics::{Mention, TOPICS};

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
    now: Timestamp,
}

/// At most how many series an answer speaks of.
const MOST_SERIES: usize = 4;
/// At most how many of them for one word of the question, or for one that
/// names nothing.
const MOST_SERIES_OF_A_MENTION: usize = 3;
/// At most how many data types are named that could be asked for instead.
const MOST_NAMED: usize = 5;
/// At most how many facts a model is sent; those of the first series come first.
const MOST_SENT: usize = 200;
/// An older newest reading says little of now.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

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
        let seen = ObservedSpan::new(&observations, complete);
        unify_units(&mut observations);
        let all = series(&observations);
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
            .filter_map(|series| describe(series, seen, now, needs_resting, &mut ids))
            .collect();
        let left_out = if intent.mentions.is_empty() {
            all.len() - summaries.len()
        } else {
            0
        };
        let mut context = Self {
            intent,
            question,
            summaries,
            missing: not_found
                .iter()
                .map(|phrase| format!("readings of {phrase}"))
                .collect(),
            note: None,
            is_partial: !complete || left_out > 0,
            is_withheld: false,
            now,
        };
        let mut notes = Vec::new();
        if !not_found.is_empty() {
            notes.push(format!(
                "there are no readings of {}",
                list(&not_found, "or")
            ));
        }
        if context.summaries.is_empty() {
            notes.push(format!(
                "there are readings of {}",
                available_data_types(&all)
            ));
        }
        let tells_yesterday = |summary: &MetricSummary| summary.sum_of_yesterday().is_some();
        let misses_yesterday =
            context.intent.is_yesterday && !context.summaries.iter().any(tells_yesterday);
        if context.intent.has_other_period || misses_yesterday {
            notes.push(
                "only the 24 hours, 7 days and 30 days up to the newest reading can be told of"
                    .to_owned(),
            );
            context
                .missing
                .push("statistics of the period that was asked for".to_owned());
        }
        context.add_staleness_notice(&mut notes);
        context.add_choice_notices(&mut notes);
        if !complete {
            notes.push(format!(
                "only the newest {} readings were looked at, so older ones, and data types that have only older ones, are left out",
                observations.len()
            ));
        }
        if left_out > 0 {
            notes.push(format!(
                "{left_out} more series can be asked for by their data types"
            ));
        }
        context.note = (!notes.is_empty()).then(|| capitalize(&notes.join("; ")) + ".");
        context
    }

    fn add_staleness_notice(&mut self, notes: &mut Vec<String>) {
        let old: Vec<(String, Date)> = self
            .summaries
            .iter()
            .filter(|summary| self.is_old(summary.newest.0))
            .map(|summary| (summary.label(), summary.newest.1))
            .collect();
        for same_day in old.chunk_by(|(_, one), (_, other)| one == other) {
            let labels: Vec<String> = same_day.iter().map(|(label, _)| label.clone()).collect();
            notes.push(format!(
                "the newest readings of {} are of {}, more than a week ago",
                list(&labels, "and"),
                same_day[0].1
            ));
            let labels = labels.iter();
            self.missing
                .extend(labels.map(|label| format!("readings of {label} in the last 7 days")));
        }
    }

    fn add_choice_notices(&self, notes: &mut Vec<String>) {
        notes.extend(self.summaries.iter().filter_map(|summary| {
            let choice = summary.choice.as_ref()?;
            Some(format!("of {}, {choice}", summary.label()))
        }));
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

    /// How much there is to go on.
    pub fn coverage(&self) -> DataCoverage {
        let days: BTreeSet<_> = self
            .summaries
            .iter()
            .flat_map(|summary| &summary.days)
            .collect();
        DataCoverage {
            readings: self.summaries.iter().map(|summary| summary.readings).sum(),
            days: days.len(),
            missing: self.missing.clone(),
        }
    }

    /// How far an answer can be relied on: as far as the weakest of its data.
    pub fn confidence(&self) -> Confidence {
        let mut reasons = Vec::new();
        let levels = self
            .summaries
            .iter()
            .map(|summary| self.confidence_in(summary, &mut reasons));
        let level = levels.min().unwrap_or(ConfidenceLevel::Low);
        if self.summaries.is_empty() {
            reasons.push("there are no readings to go on".to_owned());
        }
        Confidence { level, reasons }
    }

    fn confidence_in(&self, summary: &MetricSummary, reasons: &mut Vec<String>) -> ConfidenceLevel {
        const DAYS_FOR_HIGH: usize = 21;
        const DAYS_FOR_MEDIUM: usize = 7;
        let label = summary.label();
        let days = summary.days.len();
        let mut level = match days {
            DAYS_FOR_HIGH.. => ConfidenceLevel::High,
            DAYS_FOR_MEDIUM.. => ConfidenceLevel::Medium,
            _ => ConfidenceLevel::Low,
        };
        if level < ConfidenceLevel::High {
            reasons.push(format!("{label} has readings on {days} of 30 days"));
        }
        if self.is_old(summary.newest.0) {
            reasons.push(format!(
                "the newest {label} reading is more than a week old"
            ));
            level = ConfidenceLevel::Low;
        }
        level
    }

    /// How many whole days ago `instant` was.
    pub fn days_ago(&self, instant: Timestamp) -> i64 {
        (self.now.duration_since(instant).as_hours() / 24).max(0)
    }

    fn is_old(&self, newest: Timestamp) -> bool {
        self.now.duration_since(newest) > RECENT
    }
}

/// The series that the question is about, and what it names that there is
/// nothing of.
fn choose<'a, 'b>(all: &'b [Series<'a>], intent: &Intent) -> (Vec<&'b Series<'a>>, Vec<String>) {
    let mut chosen: Vec<&Series<'_>> = Vec::new();
    let mut not_found = Vec::new();
    for mention in &intent.mentions {
        let (found, is_meant) = find(all, mention);
        if !is_meant && !not_found.contains(&mention.phrase) {
            not_found.push(mention.phrase.clone());
        }
        for series in found {
            if chosen.len() < MOST_SERIES
                && !chosen.iter().any(|known| std::ptr::eq(*known, series))
            {
                chosen.push(series);
            }
        }
    }
    if intent.mentions.is_empty() {
        chosen = general(all);
        chosen.truncate(MOST_SERIES_OF_A_MENTION);
    }
    (chosen, not_found)
}

/// The series that a mention is about, and whether they are what it names
/// rather than what comes close.
fn find<'a, 'b>(all: &'b [Series<'a>], mention: &Mention) -> (Vec<&'b Series<'a>>, bool) {
    if let Some(named) = &mention.named {
        let found: Vec<_> = all
            .iter()
            .filter(|series| name(series) == named)
            .take(MOST_SERIES_OF_A_MENTION)
            .collect();
        if !found.is_empty() {
            return (found, true);
        }
    }
    let found: Vec<_> = mention
        .related
        .iter()
        .flat_map(|metric| all.iter().filter(move |series| name(series) == *metric))
        .take(MOST_SERIES_OF_A_MENTION)
        .collect();
    let is_meant = mention.named.is_none() && !found.is_empty();
    (found, is_meant)
}

/// For a general question, the first of each topic and then those with the
/// most readings.
fn general<'a, 'b>(all: &'b [Series<'a>]) -> Vec<&'b Series<'a>> {
    let mut ranked: Vec<&Series<'_>> = all.iter().collect();
    ranked.sort_by_cached_key(|series| {
        let place = TOPICS.iter().enumerate().find_map(|(topic, is)| {
            let metric = is
                .metrics
                .iter()
                .position(|metric| *metric == name(series))?;
            Some((metric, topic))
        });
        (
            place.unwrap_or((usize::MAX, usize::MAX)),
            Reverse(series.observations.len()),
        )
    });
    ranked
}

fn name<'a>(series: &Series<'a>) -> &'a str {
    series
        .metric
        .map_or(series.data_type, |metric| metric.name.as_str())
}

impl MetricSummary {
    /// Whether a sentence can tell the fact without explaining it: single
    /// readings of what adds up are parts of days, and a unit that is not known
    /// could be any text.
    fn is_self_explanatory(&self, fact: &Fact) -> bool {
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

    /// What people call it.
    pub fn label(&self) -> String {
        spoken_name(&self.data_type)
    }

    /// The longest span that was looked at whole, up to `span`.
    pub fn longest_up_to(&self, span: Span) -> Span {
        Span::ALL
            .into_iter()
            .filter(|shorter| *shorter <= span)
            .find(|shorter| self.facts.iter().any(|fact| fact.period.covers(*shorter)))
            .unwrap_or(span)
    }
}

/// Data types that can be asked for.
fn available_data_types(all: &[Series<'_>]) -> String {
    let mut names: Vec<String> = general(all)
        .iter()
        .map(|series| spoken_name(series.data_type))
        .take(MOST_NAMED)
        .collect();
    if all.len() > MOST_NAMED {
        names.push("others".to_owned());
    }
    list(&names, "and")
}

/// Names as one lists them.
fn list(names: &[String], conjunction: &str) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => {
            format!("{} {conjunction} {last}", all.join(", "))
        }
        names => names.concat(),
    }
}
