//! What a question asks for.

use std::sync::LazyLock;

use super::fact::Span;
use super::topics::{Mention, mentions};
use super::words::{Lexicon, words};

/// What a question asks for, as far as its words tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Of what, in the order of the question; empty where it is general.
    pub mentions: Vec<Mention>,
    /// Which figures; empty where none is named.
    pub figures: Vec<Figure>,
    /// Over how long, if it says so.
    pub span: Option<Span>,
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
        let mentions = mentions(&words, others);
        let mut figures = FIGURES_AND_SPANS.find(&words);
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
        };
        for (_, meaning) in figures {
            match meaning {
                Meaning::Span(span) => intent.span = intent.span.or(Some(*span)),
                Meaning::Figure(figure) if !intent.figures.contains(figure) => {
                    intent.figures.push(*figure);
                }
                Meaning::Figure(_) => {}
            }
        }
        intent
    }
}

#[derive(Clone, Copy)]
enum Meaning {
    Figure(Figure),
    Span(Span),
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
    Lexicon::new(spans.chain(figures))
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
        ],
    ),
    (Figure::Median, &["median", "middle"]),
    (
        Figure::Lowest,
        &["lowest", "minimum", "min", "least", "smallest"],
    ),
    (
        Figure::Highest,
        &["highest", "maximum", "max", "peak", "greatest", "most"],
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
            "mois",
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
