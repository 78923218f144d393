use jiff::Timestamp;
use jiff::civil::Date;

use super::selection::general;
use crate::insights::facts::{MetricSummary, Series};
use crate::insights::question::Intent;
use crate::insights::text::{capitalize, join_list, spoken_name};

/// At most how many data types are named that could be asked for instead.
const MOST_NAMED: usize = 5;

/// What notices are made from.
pub struct Scope<'a> {
    pub intent: &'a Intent,
    pub summaries: &'a [MetricSummary],
    pub series: &'a [Series<'a>],
    pub not_found: &'a [String],
    pub readings: usize,
    pub complete: bool,
    pub left_out: usize,
    pub now: Timestamp,
}

/// What is to be known of the answer as a whole, and what is missing.
pub struct Notices {
    pub note: Option<String>,
    pub missing: Vec<String>,
}

impl Notices {
    pub fn new(scope: &Scope<'_>) -> Self {
        let not_found = scope.not_found;
        let mut missing: Vec<String> = not_found
            .iter()
            .map(|phrase| format!("readings of {phrase}"))
            .collect();
        let mut notes = Vec::new();
        if !not_found.is_empty() {
            notes.push(format!(
                "there are no readings of {}",
                join_list(not_found, "or")
            ));
        }
        if scope.summaries.is_empty() {
            notes.push(format!(
                "there are readings of {}",
                available_data_types(scope.series)
            ));
        }
        let tells_yesterday = |summary: &MetricSummary| summary.sum_of_yesterday().is_some();
        let misses_yesterday =
            scope.intent.is_yesterday && !scope.summaries.iter().any(tells_yesterday);
        if scope.intent.has_other_period || misses_yesterday {
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
    let old: Vec<(String, Date)> = scope
        .summaries
        .iter()
        .filter(|summary| summary.is_stale(scope.now))
        .map(|summary| (summary.label(), summary.newest.1))
        .collect();
    for same_day in old.chunk_by(|(_, one), (_, other)| one == other) {
        let labels: Vec<String> = same_day.iter().map(|(label, _)| label.clone()).collect();
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
    notes.extend(scope.summaries.iter().filter_map(|summary| {
        let choice = summary.choice.as_ref()?;
        Some(format!("of {}, {choice}", summary.label()))
    }));
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
    join_list(&names, "and")
}
