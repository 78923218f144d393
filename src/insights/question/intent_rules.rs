//! Phrases of questions for statistics and periods.

use std::sync::LazyLock;

use super::tokenize::PhraseTable;
use crate::insights::facts::WindowLength;

/// Statistic that a question can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedStatistic {
    /// The average.
    Mean,
    /// The median.
    Median,
    /// The minimum.
    Lowest,
    /// The maximum.
    Highest,
    /// The newest value.
    Latest,
    /// The total.
    Total,
    /// The number of readings.
    Count,
    /// The change over time.
    Trend,
    /// The share of time within the target range.
    TimeInRange,
    /// The variability.
    Variability,
    /// Unusual values.
    Outliers,
    /// Weekends compared with weekdays.
    Weekends,
}

/// Meaning of a phrase in a question.
#[derive(Clone, Copy)]
pub enum IntentRule {
    /// Asks for a statistic.
    Statistic(RequestedStatistic),
    /// Asks for a window.
    Window(WindowLength),
    /// Asks about yesterday.
    Yesterday,
    /// Names a period for which no facts are computed.
    OtherPeriod,
}

/// All phrases, in English, German, Spanish and French.
pub static RULES: LazyLock<PhraseTable<IntentRule>> = LazyLock::new(|| {
    let statistics = STATISTICS.iter().flat_map(|(statistic, phrases)| {
        phrases
            .iter()
            .map(|phrase| (*phrase, IntentRule::Statistic(*statistic)))
    });
    let spans = SPANS.iter().flat_map(|(span, phrases)| {
        phrases
            .iter()
            .map(|phrase| (*phrase, IntentRule::Window(*span)))
    });
    let yesterday = YESTERDAY
        .iter()
        .map(|phrase| (*phrase, IntentRule::Yesterday));
    let others = OTHER_PERIODS
        .iter()
        .map(|phrase| (*phrase, IntentRule::OtherPeriod));
    PhraseTable::new(spans.chain(yesterday).chain(others).chain(statistics))
});

impl RequestedStatistic {
    /// Returns true if its words ask for numbers. Words of the others may also describe a
    /// feeling: "worse", "strange", "now".
    pub fn names_readings(self) -> bool {
        match self {
            Self::Mean
            | Self::Median
            | Self::Lowest
            | Self::Highest
            | Self::Total
            | Self::Count
            | Self::TimeInRange
            | Self::Variability
            | Self::Weekends => true,
            Self::Latest | Self::Trend | Self::Outliers => false,
        }
    }
}

/// Phrases of questions about the readings as a whole.
pub static GENERAL: LazyLock<PhraseTable<()>> = LazyLock::new(|| {
    PhraseTable::new(
        [
            "how am i",
            "how am i doing",
            "how are things",
            "how are we doing",
            "how is everything",
            "how have i been",
            "how did i do",
            "how do i do",
            "overview",
            "summary",
            "summarize",
            "summarise",
            "report",
            "status",
            "statistics",
            "stats",
            "health",
            "wellness",
            "data",
            "readings",
            "values",
            "measurements",
            "numbers",
            "insights",
            "wie geht es mir",
            "wie geht s mir",
            "übersicht",
            "werte",
            "gesundheit",
            "cómo estoy",
            "resumen",
            "salud",
            "comment vais je",
            "résumé",
            "santé",
        ]
        .map(|phrase| (phrase, ())),
    )
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

/// Periods for which no facts are computed.
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

const SPANS: &[(WindowLength, &[&str])] = &[
    (
        WindowLength::Day,
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
        WindowLength::Week,
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
        WindowLength::Month,
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
