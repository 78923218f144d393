use std::cmp::Reverse;

use crate::insights::facts::Series;
use crate::insights::question::Intent;
use crate::insights::question::topics::{Mention, TOPICS};

/// At most how many series an answer speaks of.
const MOST_SERIES: usize = 4;
/// At most how many of them for one word of the question, or for one that
/// names nothing.
const MOST_SERIES_OF_A_MENTION: usize = 3;

/// The series that the question is about, and what it names that there is
/// nothing of.
pub fn choose<'a, 'b>(
    all: &'b [Series<'a>],
    intent: &Intent,
) -> (Vec<&'b Series<'a>>, Vec<String>) {
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
pub fn general<'a, 'b>(all: &'b [Series<'a>]) -> Vec<&'b Series<'a>> {
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

pub fn name<'a>(series: &Series<'a>) -> &'a str {
    series
        .metric
        .map_or(series.data_type, |metric| metric.name.as_str())
}
