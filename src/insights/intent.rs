//! What a question asks for.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use super::fact::Span;
use super::topics::{Mention, mentions};
use super::words::{Lexicon, Word, words};

/// What a question asks for, as far as its words tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Of what, in the order of the question; empty where it is general.
    pub mentions: Vec<Mention>,
    /// Which figures; empty where none is named.
    pub figures: Vec<Figure>,
    /// Over how long, if it says so.
    pub span: Option<Span>,
    /// Whether it asks for the day before.
    pub yesterday: bool,
    /// Whether it names a period that there are no facts of.
    pub other_period: bool,
}

/// A figure that a question can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
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
    pub fn of<'a>(question: &str, others: impl IntoIterator<Item = &'a str>) -> Self {
        let words = words(question);
        let mut mentions = mentions(&words, others);
        let mut figures = FIGURES_AND_SPANS.find(&words);
        // "last night" is a time, and so are "24 hr".
        mentions.retain(|(at, _)| {
            !figures.iter().any(|(figure, meaning)| {
                !matches!(meaning, Meaning::Figure(_))
                    && figure.start <= at.start
                    && at.end <= figure.end
            })
        });
        let mentions = without_repetitions(mentions);
        // The variability of "heart rate variability" is a name, not a figure.
        figures.retain(|(at, _)| {
            mentions.iter().all(|(mention, _)| {
                at.start < mention.start || at.end > mention.end || at.len() == mention.len()
            })
        });
        let mut intent = Self {
            mentions: mentions.into_iter().map(|(_, mention)| mention).collect(),
            figures: Vec::new(),
            span: None,
            yesterday: false,
            other_period: false,
        };
        intent.other_period = names_other_period(&words, &figures);
        for (_, meaning) in figures {
            match meaning {
                Meaning::Span(span) => intent.span = intent.span.or(Some(*span)),
                Meaning::Yesterday => intent.yesterday = true,
                Meaning::OtherPeriod => intent.other_period = true,
                Meaning::Figure(figure) if !intent.figures.contains(figure) => {
                    intent.figures.push(*figure);
                }
                Meaning::Figure(_) => {}
            }
        }
        intent
    }
}

/// Whether a number of days, hours or the like, or a year, is named that is no
/// period that there are facts of.
fn names_other_period(words: &[Word], known: &[(Range<usize>, &Meaning)]) -> bool {
    const UNITS: [&str; 7] = ["hour", "hr", "day", "night", "week", "month", "year"];
    let is_known = |at: usize| {
        known
            .iter()
            .any(|(range, meaning)| range.contains(&at) && !matches!(meaning, Meaning::Figure(_)))
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
                && names.iter().any(|name| mention.about.contains(&&**name));
            let meaning = (mention.named.clone(), mention.about.clone());
            !is_named_anyway && known.insert(meaning)
        })
        .collect()
}

#[derive(Clone, Copy)]
enum Meaning {
    Figure(Figure),
    Span(Span),
    Yesterday,
    OtherPeriod,
}

static FIGURES_AND_SPANS: LazyLock<Lexicon<Meaning>> = LazyLock::new(|| {
    let figures = FIGURES.iter().flat_map(|(figure, phrases)| {
        phrases
            .iter()
            .map(|phrase| (*phrase, Meaning::Figure(*figure)))
    });
    let spans = SPANS
        .iter()
        .flat_map(|(span, phrases)| phrases.iter().map(|phrase| (*phrase, Meaning::Span(*span))));
    let yesterday = YESTERDAY.iter().map(|phrase| (*phrase, Meaning::Yesterday));
    let others = OTHER_PERIODS
        .iter()
        .map(|phrase| (*phrase, Meaning::OtherPeriod));
    Lexicon::new(spans.chain(yesterday).chain(others).chain(figures))
});

const FIGURES: &[(Figure, &[&str])] = &[
    (
        Figure::Mean,
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
    (Figure::Median, &["median", "middle"]),
    (
        Figure::Lowest,
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
        Figure::Highest,
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
        Figure::Latest,
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
        Figure::Total,
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
        Figure::Count,
        &[
            "how many readings",
            "how many measurements",
            "how many values",
            "number of readings",
        ],
    ),
    (
        Figure::Trend,
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
        Figure::TimeInRange,
        &["time in range", "in range", "tir", "gmi"],
    ),
    (
        Figure::Variability,
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
        Figure::Outliers,
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
        Figure::Weekends,
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
        for (question, figures, span) in [
            (
                "What was my average heart rate last week?",
                vec![Figure::Mean],
                Some(Span::Week),
            ),
            (
                "Lowest and highest glucose in the last 24 hours",
                vec![Figure::Lowest, Figure::Highest],
                Some(Span::Day),
            ),
            ("What is my last weight?", vec![Figure::Latest], None),
            (
                "How many steps in the last 30 days?",
                vec![Figure::Total],
                Some(Span::Month),
            ),
            ("How many readings do I have?", vec![Figure::Count], None),
            ("Is my sleep getting better?", vec![Figure::Trend], None),
            ("Most recent SpO2", vec![Figure::Latest], None),
            ("How am I?", vec![], None),
            ("My heart rate variability", vec![], None),
        ] {
            let intent = Intent::of(question, []);
            assert_eq!((intent.figures, intent.span), (figures, span), "{question}");
        }
    }
}
