//! What a question asks for.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::tokenize::{PhraseTable, Word, tokenize};
use super::topics::{Mention, find_mentions};
use crate::insights::facts::Span;

/// What a question asks for, as far as its words tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Of what, in the order of the question; empty where it is general.
    pub mentions: Vec<Mention>,
    /// Which statistics; empty where none is named.
    pub statistics: Vec<RequestedStatistic>,
    /// Over how long, if it says so.
    pub span: Option<Span>,
    /// Whether it asks for the day before.
    pub is_yesterday: bool,
    /// Whether it names a period that there are no facts of.
    pub has_other_period: bool,
}

/// A statistic that a question can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedStatistic {
    /// What it is on average.
    Mean,
    /// What lies in the middle.
    Median,
    /// The least.
    Lowest,
    /// The greatest.
    Highest,
    /// The newest.
    Latest,
    /// All of it together.
    Total,
    /// How many readings.
    Count,
    /// How it changes.
    Trend,
    /// How long it is within bounds.
    TimeInRange,
    /// How much it varies.
    Variability,
    /// What is out of the ordinary.
    Outliers,
    /// Weekends beside the other days.
    Weekends,
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
                IntentRule::Span(span) => intent.span = intent.span.or(Some(*span)),
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

#[derive(Clone, Copy)]
enum IntentRule {
    Statistic(RequestedStatistic),
    Span(Span),
    Yesterday,
    OtherPeriod,
}

static RULES: LazyLock<PhraseTable<IntentRule>> = LazyLock::new(|| {
    let statistics = STATISTICS.iter().flat_map(|(statistic, phrases)| {
        phrases
            .iter()
            .map(|phrase| (*phrase, IntentRule::Statistic(*statistic)))
    });
    let spans = SPANS.iter().flat_map(|(span, phrases)| {
        phrases
            .iter()
            .map(|phrase| (*phrase, IntentRule::Span(*span)))
    });
    let yesterday = YESTERDAY
        .iter()
        .map(|phrase| (*phrase, IntentRule::Yesterday));
    let others = OTHER_PERIODS
        .iter()
        .map(|phrase| (*phrase, IntentRule::OtherPeriod));
    PhraseTable::new(spans.chain(yesterday).chain(others).chain(statistics))
});

const STATISTICS: &[(RequestedStatistic, &[&str])] = &[
    (
        RequestedStatistic::Mean,
        &[
            "average",
            "averaged",
            "mean",
            "typical",
            "typically",
            "usual",
            "usually",
            "durchschnitt",
            "promedio",
            "moyenne",
            "durchschnittlich",
            "durchschnittliche",
            "promedia",
        ],
    ),
    (RequestedStatistic::Median, &["median", "middle"]),
    (
        RequestedStatistic::Lowest,
        &[
            "lowest",
            "minimum",
            "min",
            "least",
            "smallest",
            "fewest",
            "slowest",
            "niedrigste",
            "tiefste",
        ],
    ),
    (
        RequestedStatistic::Highest,
        &[
            "highest",
            "maximum",
            "max",
            "peak",
            "greatest",
            "quickest",
            "fastest",
            "höchste",
            "höchster",
            "most",
        ],
    ),
    (
        RequestedStatistic::Latest,
        &[
            "latest",
            "current",
            "currently",
            "newest",
            "now",
            "most recent",
            "last",
            "last reading",
            "last value",
            "right now",
        ],
    ),
    (
        RequestedStatistic::Total,
        &[
            "total",
            "sum",
            "how many",
            "how much",
            "altogether",
            "in all",
            "wie viele",
            "wie viel",
            "cuántos",
            "cuántas",
            "combien",
        ],
    ),
    (
        RequestedStatistic::Count,
        &[
            "how many readings",
            "how many measurements",
            "how many values",
            "number of readings",
        ],
    ),
    (
        RequestedStatistic::Trend,
        &[
            "trend",
            "trending",
            "tendance",
            "tendencia",
            "change",
            "changed",
            "changing",
            "improve",
            "improved",
            "improving",
            "worse",
            "worsening",
            "better",
            "increase",
            "increased",
            "increasing",
            "rise",
            "rising",
            "decrease",
            "decreased",
            "decreasing",
            "fall",
            "falling",
            "going up",
            "going down",
            "over time",
            "progress",
        ],
    ),
    (
        RequestedStatistic::TimeInRange,
        &["time in range", "in range", "tir", "gmi"],
    ),
    (
        RequestedStatistic::Variability,
        &[
            "variability",
            "variation",
            "vary",
            "varies",
            "consistent",
            "consistency",
            "regular",
            "regularity",
        ],
    ),
    (
        RequestedStatistic::Outliers,
        &[
            "outlier",
            "unusual",
            "abnormal",
            "odd",
            "strange",
            "out of the ordinary",
        ],
    ),
    (
        RequestedStatistic::Weekends,
        &["weekend", "weekday", "saturday", "sunday"],
    ),
];

const YESTERDAY: &[&str] = &["yesterday", "gestern", "ayer", "hier"];

/// Periods that there are no facts of.
const OTHER_PERIODS: &[&str] = &[
    "day before yesterday",
    "vorgestern",
    "anteayer",
    "avant hier",
    "2 days",
    "3 days",
    "14 days",
    "90 days",
    "60 days",
    "2 weeks",
    "two weeks",
    "three weeks",
    "3 weeks",
    "fortnight",
    "2 months",
    "two months",
    "3 months",
    "three months",
    "6 months",
    "six months",
    "year",
    "last year",
    "this year",
    "quarter",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "this morning",
    "this afternoon",
    "this evening",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "48 hours",
    "12 hours",
];

const SPANS: &[(Span, &[&str])] = &[
    (
        Span::Day,
        &[
            "today",
            "last day",
            "past day",
            "last 24 hours",
            "24 hours",
            "24 h",
            "24h",
            "24 hr",
            "24 hrs",
            "last 24 hr",
            "last 24 hrs",
            "last night",
            "tonight",
            "heute",
            "hoy",
        ],
    ),
    (
        Span::Week,
        &[
            "week",
            "this week",
            "last week",
            "past week",
            "last 7 days",
            "7 days",
            "7 day",
            "last seven days",
            "seven days",
            "weekly",
            "woche",
            "semana",
            "semaine",
        ],
    ),
    (
        Span::Month,
        &[
            "month",
            "this month",
            "last month",
            "past month",
            "last 30 days",
            "30 days",
            "30 day",
            "last thirty days",
            "thirty days",
            "monthly",
            "lately",
            "monat",
            "mes",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_spans_are_told_from_words() {
        for (question, statistics, span) in [
            (
                "What was my average heart rate last week?",
                vec![RequestedStatistic::Mean],
                Some(Span::Week),
            ),
            (
                "Lowest and highest glucose in the last 24 hours",
                vec![RequestedStatistic::Lowest, RequestedStatistic::Highest],
                Some(Span::Day),
            ),
            (
                "What is my last weight?",
                vec![RequestedStatistic::Latest],
                None,
            ),
            (
                "How many steps in the last 30 days?",
                vec![RequestedStatistic::Total],
                Some(Span::Month),
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
