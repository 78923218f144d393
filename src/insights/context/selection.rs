use std::cmp::Reverse;

use crate::domain::vocabulary::Label;
use crate::insights::facts::Series;
use crate::insights::question::Intent;
use crate::insights::question::topics::{Mention, TOPICS};

/// Maximum number of series in an answer.
const MAX_SERIES: usize = 4;
/// Maximum number of series for one mention, and for a general question.
const MAX_SERIES_PER_MENTION: usize = 3;

/// Selects the series that the question is about. Also returns the phrases that
/// no series matches.
pub fn select<'a, 'b>(all: &'b [Series<'a>], intent: &Intent) -> (Vec<&'b Series<'a>>, Vec<Label>) {
    let mut selected: Vec<&Series<'_>> = Vec::new();
    let mut not_found = Vec::new();
    for mention in &intent.mentions {
        let (found, is_exact) = find(all, mention);
        if !is_exact && !not_found.contains(&mention.phrase) {
            not_found.push(mention.phrase.clone());
        }
        for series in found {
            if selected.len() < MAX_SERIES
                && !selected.iter().any(|known| std::ptr::eq(*known, series))
            {
                selected.push(series);
            }
        }
    }
    if intent.mentions.is_empty() {
        selected = rank_by_topic(all);
        selected.truncate(MAX_SERIES_PER_MENTION);
    }
    (selected, not_found)
}

/// Finds the series of a mention. Also returns whether they are what it names,
/// rather than related data types.
fn find<'a, 'b>(all: &'b [Series<'a>], mention: &Mention) -> (Vec<&'b Series<'a>>, bool) {
    if let Some(named) = &mention.named {
        let found: Vec<_> = all
            .iter()
            .filter(|series| series.data_type == named)
            .take(MAX_SERIES_PER_MENTION)
            .collect();
        if !found.is_empty() {
            return (found, true);
        }
    }
    let found: Vec<_> = mention
        .related
        .iter()
        .flat_map(|metric| all.iter().filter(move |series| series.data_type == *metric))
        .take(MAX_SERIES_PER_MENTION)
        .collect();
    let is_exact = mention.named.is_none() && !found.is_empty();
    (found, is_exact)
}

/// Ranks the series for a general question: the first of each topic, then those
/// with the most readings.
pub fn rank_by_topic<'a, 'b>(all: &'b [Series<'a>]) -> Vec<&'b Series<'a>> {
    let mut ranked: Vec<&Series<'_>> = all.iter().collect();
    ranked.sort_by_cached_key(|series| {
        let position = TOPICS.iter().enumerate().find_map(|(rank, topic)| {
            let metric = topic
                .metrics
                .iter()
                .position(|metric| *metric == series.data_type)?;
            Some((metric, rank))
        });
        (
            position.unwrap_or((usize::MAX, usize::MAX)),
            Reverse(series.observations.len()),
        )
    });
    ranked
}
