//! What a question asks for.

use std::collections::HashSet;
use std::ops::Range;

use super::intent_rules::{IntentRule, RULES, RequestedStatistic};
use super::tokenize::{Word, tokenize};
use super::topics::{Mention, find_mentions};
use crate::insights::facts::WindowLength;

/// What a question asks for, as far as its words tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Of what, in the order of the question; empty where it is general.
    pub mentions: Vec<Mention>,
    /// Which statistics; empty where none is named.
    pub statistics: Vec<RequestedStatistic>,
    /// Over how long, if it says so.
    pub span: Option<WindowLength>,
    /// Whether it asks for the day before.
    pub is_yesterday: bool,
    /// Whether it names a period that there are no facts of.
    pub has_other_period: bool,
}

impl Intent {
    /// What `question` asks for of the vocabulary's data types and `others`.
    pub fn parse<'a>(question: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        let words = tokenize(question);
        let mut mentions = find_mentions(&words, others);
        let mut statistics = RULES.find(&words);
        // "last night" is a time, and so are "24 hr".
        mentions.retain(|(at, _)| {
            !statistics.iter().any(|(statistic, meaning)| {
                !matches!(meaning, IntentRule::Statistic(_))
                    && statistic.start <= at.start
                    && at.end <= statistic.end
            })
        });
        let mentions = without_repetitions(mentions);
        // The variability of "heart rate variability" is a name, not a statistic.
        statistics.retain(|(at, _)| {
            mentions.iter().all(|(mention, _)| {
                at.start < mention.start || at.end > mention.end || at.len() == mention.len()
            })
        });
        let mut intent = Self {
            mentions: mentions.into_iter().map(|(_, mention)| mention).collect(),
            statistics: Vec::new(),
            span: None,
            is_yesterday: false,
            has_other_period: false,
        };
        intent.has_other_period = names_other_period(&words, &statistics);
        for (_, meaning) in statistics {
            match meaning {
                IntentRule::Window(span) => intent.span = intent.span.or(Some(*span)),
                IntentRule::Yesterday => intent.is_yesterday = true,
                IntentRule::OtherPeriod => intent.has_other_period = true,
                IntentRule::Statistic(statistic) if !intent.statistics.contains(statistic) => {
                    intent.statistics.push(*statistic);
                }
                IntentRule::Statistic(_) => {}
            }
        }
        intent
    }
}

/// Whether a number of days, hours or the like, or a year, is named that is no
/// period that there are facts of.
fn names_other_period(words: &[Word], known: &[(Range<usize>, &IntentRule)]) -> bool {
    const UNITS: [&str; 7] = ["hour", "hr", "day", "night", "week", "month", "year"];
    let is_known = |at: usize| {
        known.iter().any(|(range, meaning)| {
            range.contains(&at) && !matches!(meaning, IntentRule::Statistic(_))
        })
    };
    let number = |word: &Word| word.text.parse::<u32>().ok();
    words.iter().enumerate().any(|(at, word)| {
        let is_year = number(word).is_some_and(|year| (1970..2100).contains(&year));
        let is_span = words.get(at + 1).is_some_and(|next| {
            UNITS.contains(&next.text.as_str())
                && (number(word).is_some() || ["last", "past"].contains(&word.text.as_str()))
        });
        !is_known(at) && (is_year || is_span)
    })
}

/// Each mention once; a topic is not one of its own where one of its data types
/// is named.
fn without_repetitions(mentions: Vec<(Range<usize>, Mention)>) -> Vec<(Range<usize>, Mention)> {
    let names: Vec<String> = mentions
        .iter()
        .filter_map(|(_, mention)| mention.named.clone())
        .collect();
    let mut known = HashSet::new();
    mentions
        .into_iter()
        .filter(|(_, mention)| {
            let is_named_anyway = mention.named.is_none()
                && names.iter().any(|name| mention.related.contains(&&**name));
            let meaning = (mention.named.clone(), mention.related.clone());
            !is_named_anyway && known.insert(meaning)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_spans_are_told_from_words() {
        for (question, statistics, span) in [
            (
                "What was my average heart rate last week?",
                vec![RequestedStatistic::Mean],
                Some(WindowLength::Week),
            ),
            (
                "Lowest and highest glucose in the last 24 hours",
                vec![RequestedStatistic::Lowest, RequestedStatistic::Highest],
                Some(WindowLength::Day),
            ),
            (
                "What is my last weight?",
                vec![RequestedStatistic::Latest],
                None,
            ),
            (
                "How many steps in the last 30 days?",
                vec![RequestedStatistic::Total],
                Some(WindowLength::Month),
            ),
            (
                "How many readings do I have?",
                vec![RequestedStatistic::Count],
                None,
            ),
            (
                "Is my sleep getting better?",
                vec![RequestedStatistic::Trend],
                None,
            ),
            ("Most recent SpO2", vec![RequestedStatistic::Latest], None),
            ("How am I?", vec![], None),
            ("My heart rate variability", vec![], None),
        ] {
            let intent = Intent::parse(question, []);
            assert_eq!(
                (intent.statistics, intent.span),
                (statistics, span),
                "{question}"
            );
        }
    }
}
