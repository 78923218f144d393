use jiff::Timestamp;
use jiff::civil::Date;

use super::selection::rank_by_topic;
use crate::domain::vocabulary::{Label, Metric};
use crate::insights::facts::{MetricSummary, Series};
use crate::insights::question::Intent;
use crate::insights::text::{capitalize, join_list};

/// Maximum number of data types that a notice suggests.
const MAX_SUGGESTED_TYPES: usize = 5;

/// Input of notices.
pub struct Scope<'a> {
    /// The parsed question.
    pub intent: &'a Intent,
    /// The facts of the selected series.
    pub summaries: &'a [MetricSummary],
    /// All series of the user.
    pub series: &'a [Series<'a>],
    /// Phrases of the question that no series matches.
    pub not_found: &'a [Label],
    /// Number of readings that were read.
    pub readings: usize,
    /// True if these are all readings of the user.
    pub complete: bool,
    /// Number of series that a general question leaves out.
    pub left_out: usize,
    /// Number of readings dated later than now, which are left out.
    pub ahead: usize,
    /// Data types whose newest reading could not be checked for danger.
    pub unjudged: &'a [&'static Metric],
    /// The current time.
    pub now: Timestamp,
}

/// Limitations of an answer, and missing data.
pub struct Notices {
    /// The limitations, in one sentence.
    pub note: Option<String>,
    /// Data that the question needs and that does not exist.
    pub missing: Vec<String>,
}

impl Notices {
    /// Derives the notices.
    pub fn new(scope: &Scope<'_>) -> Self {
        let not_found = scope.not_found;
        let mut missing: Vec<String> = not_found
            .iter()
            .map(|phrase| format!("readings of {phrase}"))
            .collect();
        let mut notes = Vec::new();
        notes.extend(scope.unjudged.iter().map(|metric| {
            format!(
                "it cannot be judged whether a reading of {} is dangerous, as its unit is not known",
                metric.label()
            )
        }));
        if !not_found.is_empty() {
            notes.push(format!(
                "there are no readings of {}",
                join_list(&to_strings(not_found), "or")
            ));
        }
        if scope.summaries.is_empty() && !scope.series.is_empty() {
            notes.push(format!(
                "there are readings of {}",
                available_data_types(scope.series)
            ));
        }
        let has_yesterday = |summary: &MetricSummary| summary.sum_of_yesterday().is_some();
        let lacks_yesterday =
            scope.intent.is_yesterday && !scope.summaries.iter().any(has_yesterday);
        if scope.intent.has_other_period || lacks_yesterday {
            notes.push(
                "only the 24 hours, 7 days and 30 days up to the newest reading can be told of"
                    .to_owned(),
            );
            missing.push("statistics of the period that was asked for".to_owned());
        }
        add_staleness_notice(scope, &mut notes, &mut missing);
        add_choice_notices(scope, &mut notes);
        if !scope.complete {
            notes.push(format!(
                "only the newest {} readings were looked at, so older ones, and data types that have only older ones, are left out",
                scope.readings
            ));
        }
        match scope.ahead {
            0 => {}
            1 => notes.push("1 reading is dated in the future and left out".to_owned()),
            ahead => notes.push(format!(
                "{ahead} readings are dated in the future and left out"
            )),
        }
        if scope.left_out > 0 {
            notes.push(format!(
                "{} more series can be asked for by their data types",
                scope.left_out
            ));
        }
        Self {
            note: (!notes.is_empty()).then(|| capitalize(&notes.join("; ")) + "."),
            missing,
        }
    }
}

fn add_staleness_notice(scope: &Scope<'_>, notes: &mut Vec<String>, missing: &mut Vec<String>) {
    let stale: Vec<(String, Date)> = scope
        .summaries
        .iter()
        .filter(|summary| summary.is_stale(scope.now))
        .map(|summary| (summary.label.to_string(), summary.newest.1))
        .collect();
    for same_day in stale.chunk_by(|(_, one), (_, other)| one == other) {
        let mut labels: Vec<String> = same_day.iter().map(|(label, _)| label.clone()).collect();
        labels.dedup();
        notes.push(format!(
            "the newest readings of {} are of {}, more than a week ago",
            join_list(&labels, "and"),
            same_day[0].1
        ));
        let labels = labels.iter();
        missing.extend(labels.map(|label| format!("readings of {label} in the last 7 days")));
    }
}

fn add_choice_notices(scope: &Scope<'_>, notes: &mut Vec<String>) {
    for summary in scope.summaries {
        let readings = summary.label.of_readings();
        let note = format!("{readings} are in a unit that is not known");
        // A data type may have several series in such units.
        if summary.has_unknown_unit && !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes.extend(scope.summaries.iter().filter_map(|summary| {
        let choice = summary.choice.as_ref()?;
        Some(format!("of {}, {choice}", summary.label))
    }));
}

fn to_strings(labels: &[Label]) -> Vec<String> {
    labels.iter().map(Label::to_string).collect()
}

/// Lists data types that the user has readings of.
fn available_data_types(all: &[Series<'_>]) -> String {
    let mut known: Vec<Label> = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    for series in rank_by_topic(all) {
        match series.metric {
            Some(metric) if !known.contains(&metric.label()) => known.push(metric.label()),
            Some(_) => {}
            None if !unknown.contains(&series.data_type) => unknown.push(series.data_type),
            None => {}
        }
    }
    let is_cut = known.len() > MAX_SUGGESTED_TYPES;
    known.truncate(MAX_SUGGESTED_TYPES);
    let mut names = to_strings(&known);
    match (is_cut, unknown.len()) {
        (true, _) => names.push("others".to_owned()),
        (false, 0) => {}
        (false, 1) => names.push("another data type".to_owned()),
        (false, count) => names.push(format!("{count} other data types")),
    }
    join_list(&names, "and")
}
