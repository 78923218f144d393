use std::collections::HashSet;
use std::ops::Range;

use super::intent_rules::{GENERAL, IntentRule, RULES, RequestedStatistic};
use super::tokenize::{Word, tokenize};
use super::topics::{Mention, find_mentions};
use crate::insights::facts::WindowLength;

/// Data types, statistics and period that a question asks for, by its words.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Mentioned data types and topics, in the order of the question; empty if
    /// the question is general.
    pub mentions: Vec<Mention>,
    /// Requested statistics; empty if none is named.
    pub statistics: Vec<RequestedStatistic>,
    /// Requested window, if one is named.
    pub span: Option<WindowLength>,
    /// True if the question asks about yesterday.
    pub is_yesterday: bool,
    /// True if the question names a period for which no facts are computed.
    pub has_other_period: bool,
    /// True if the question is about readings. A period alone, or a word that also
    /// describes a feeling, may occur in any sentence.
    pub is_understood: bool,
}

impl Intent {
    /// Parses `question`. `others` are data types beyond the vocabulary.
    pub fn parse<'a>(question: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        let words = tokenize(question);
        let mut mentions = find_mentions(&words, others);
        let mut rules = RULES.find(&words);
        // "last night" and "24 hr" name periods, not data types.
        mentions.retain(|(at, _)| {
            !rules.iter().any(|(range, rule)| {
                !matches!(rule, IntentRule::Statistic(_))
                    && range.start <= at.start
                    && at.end <= range.end
            })
        });
        let mentions = deduplicate(mentions);
        // In "heart rate variability" the last word is part of a name, not a statistic.
        rules.retain(|(at, _)| {
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
            is_understood: !GENERAL.find(&words).is_empty(),
        };
        intent.is_understood |= !intent.mentions.is_empty();
        intent.has_other_period = names_other_period(&words, &rules);
        for (_, rule) in rules {
            match rule {
                IntentRule::Window(span) => intent.span = intent.span.or(Some(*span)),
                IntentRule::Yesterday => intent.is_yesterday = true,
                IntentRule::OtherPeriod => intent.has_other_period = true,
                IntentRule::Statistic(statistic) if !intent.statistics.contains(statistic) => {
                    intent.statistics.push(*statistic);
                    intent.is_understood |= statistic.names_readings();
                }
                IntentRule::Statistic(_) => {}
            }
        }
        intent
    }
}

/// Returns true if the words name a time span or a year for which no facts are
/// computed.
fn names_other_period(words: &[Word], known: &[(Range<usize>, &IntentRule)]) -> bool {
    const UNITS: [&str; 7] = ["hour", "hr", "day", "night", "week", "month", "year"];
    let is_known = |at: usize| {
        known
            .iter()
            .any(|(range, rule)| range.contains(&at) && !matches!(rule, IntentRule::Statistic(_)))
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

/// Removes repeated mentions, and topics of which a data type is named.
fn deduplicate(mentions: Vec<(Range<usize>, Mention)>) -> Vec<(Range<usize>, Mention)> {
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
            let identity = (mention.named.clone(), mention.related.clone());
            !is_named_anyway && known.insert(identity)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_and_windows_are_parsed_from_words() {
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
