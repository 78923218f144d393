//! What phrases in a model's sentence claim.

use std::collections::HashSet;
use std::sync::LazyLock;

use Statistic as S;

use crate::insights::facts::{Span, Statistic};
use crate::insights::question::tokenize::{PhraseTable, normalize_word};
use crate::statistics::Direction;

/// What a phrase says of the numbers near it, or of the facts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// They are of one of these statistics.
    Statistic(&'static [Statistic]),
    /// They are a share, of the statistic whose bounds these are: the digits
    /// of "below 70" belong to its name.
    Bounds(Statistic),
    /// They are of this period.
    Period(Span),
    /// They are of the local day of the newest reading.
    NewestDay,
    /// They are of days, each of which counts once.
    PerDay,
    /// They are of nights, which are days of sleep.
    PerNight,
    /// It is said that there are readings.
    Recorded,
    /// Steps are taken, and ways walked.
    Walked,
    /// Nothing.
    Filler,
    /// Two numbers follow, the least and the greatest.
    Range,
    /// Values go this way.
    Direction(Direction),
    /// A number in words.
    Number(u32),
    /// The number before it has this unit.
    Unit(&'static str),
    /// A new clause begins.
    Boundary,
}

/// The phrases.
pub static PHRASES: LazyLock<PhraseTable<Claim>> = LazyLock::new(|| {
    let table = TABLE.iter();
    PhraseTable::new(
        table.flat_map(|(claim, phrases)| phrases.iter().map(|phrase| (*phrase, *claim))),
    )
});

const TABLE: &[(Claim, &[&str])] = &[
    (Claim::Walked, &["walked", "took"]),
    (Claim::Filler, &["of the time"]),
    (Claim::PerNight, &["a night", "per night", "nightly"]),
    (
        Claim::Recorded,
        &[
            "recorded",
            "measured",
            "logged",
            "tracked",
            "data",
            "registered",
        ],
    ),
    (
        Claim::Period(Span::Day),
        &[
            "last 24 hours",
            "past 24 hours",
            "most recent 24 hours",
            "latest 24 hours",
            "last 24 h",
        ],
    ),
    (
        Claim::Period(Span::Week),
        &[
            "last 7 days",
            "past 7 days",
            "most recent 7 days",
            "latest 7 days",
            "last seven days",
            "past seven days",
            "past week",
        ],
    ),
    (
        Claim::Period(Span::Month),
        &[
            "last 30 days",
            "past 30 days",
            "most recent 30 days",
            "latest 30 days",
            "last thirty days",
            "past thirty days",
        ],
    ),
    (
        Claim::NewestDay,
        &["newest day", "latest day", "most recent day"],
    ),
    (
        Claim::PerDay,
        &["a day", "per day", "daily", "day to day", "from day to day"],
    ),
    (
        Claim::Statistic(&[S::Mean, S::DailyMean, S::WeekdayMean, S::WeekendMean]),
        &["average", "averaged", "averaging", "averages", "mean"],
    ),
    (
        Claim::Statistic(&[S::Mean, S::DailyMean, S::Median, S::BaselineMedian]),
        &["typical", "typically"],
    ),
    (
        Claim::Statistic(&[S::Median, S::BaselineMedian]),
        &["median"],
    ),
    (
        Claim::Statistic(&[S::BaselineMedian]),
        &["usual", "usually", "baseline"],
    ),
    (
        Claim::Statistic(&[S::Min, S::DailyMin]),
        &["low of", "shortest", "lowest", "minimum", "min"],
    ),
    (
        Claim::Statistic(&[S::Max, S::DailyMax]),
        &[
            "high of", "longest", "highest", "maximum", "max", "peak", "peaked", "peaking",
        ],
    ),
    (
        Claim::Statistic(&[S::Last]),
        &[
            "latest",
            "newest",
            "most recent",
            "last reading",
            "last value",
            "last measurement",
            "latest reading",
            "newest reading",
            "most recent reading",
            "last",
        ],
    ),
    (
        Claim::Statistic(&[S::Sum]),
        &[
            "total",
            "totalled",
            "totaled",
            "totalling",
            "totaling",
            "altogether",
            "in total",
            "sum",
        ],
    ),
    (
        Claim::Statistic(&[S::Count]),
        &["reading", "measurement", "data point", "number of readings"],
    ),
    (Claim::Statistic(&[S::LongestGap]), &["gap", "longest gap"]),
    (Claim::Statistic(&[S::P10]), &["10th percentile"]),
    (Claim::Statistic(&[S::P90]), &["90th percentile"]),
    (Claim::Statistic(&[S::WeekdayMean]), &["weekday"]),
    (Claim::Statistic(&[S::WeekendMean]), &["weekend"]),
    (Claim::Statistic(&[S::Outliers]), &["outlier", "unusual"]),
    (Claim::Statistic(&[S::Suspect]), &["suspect", "implausible"]),
    (
        Claim::Statistic(&[S::DailyDeviation]),
        &["standard deviation"],
    ),
    (
        Claim::Statistic(&[
            S::CoefficientOfVariation,
            S::DailyDeviation,
            S::BaselineSpread,
        ]),
        &[
            "variability",
            "variation",
            "varies",
            "varied",
            "vary",
            "varying",
        ],
    ),
    (
        Claim::Statistic(&[S::CoefficientOfVariation]),
        &["cv", "coefficient of variation"],
    ),
    (
        Claim::Statistic(&[S::GlucoseManagementIndicator]),
        &["glucose management indicator", "gmi"],
    ),
    (Claim::Statistic(&[S::TrendPerDay]), &["trend"]),
    (
        Claim::Statistic(&[S::RestingEstimate]),
        &["estimated", "estimate"],
    ),
    (
        Claim::Bounds(S::TimeInRange),
        &[
            "time in range",
            "in range",
            "within range",
            "in the target range",
            "within the target range",
            "70 to 180",
            "70 180",
            "between 70 and 180",
            "from 70 to 180",
        ],
    ),
    (
        Claim::Bounds(S::TimeVeryLow),
        &["below 54", "under 54", "very low"],
    ),
    (
        Claim::Bounds(S::TimeLow),
        &[
            "below 70",
            "under 70",
            "below range",
            "below the target range",
            "time below range",
        ],
    ),
    (
        Claim::Bounds(S::TimeHigh),
        &[
            "above 180",
            "over 180",
            "above range",
            "above the target range",
            "time above range",
        ],
    ),
    (
        Claim::Bounds(S::TimeVeryHigh),
        &["above 250", "over 250", "very high"],
    ),
    (
        Claim::Range,
        &[
            "varied between",
            "varied from",
            "varies between",
            "varies from",
            "from",
            "between",
            "ranging from",
            "ranged from",
            "ranges from",
            "ranging between",
            "ranged between",
            "range",
            "ranging",
            "ranged",
        ],
    ),
    (
        Claim::Direction(Direction::Rising),
        &[
            "trended upward",
            "trending upward",
            "trended up",
            "upward trend",
            "rising trend",
            "rise",
            "rising",
            "rose",
            "risen",
            "increase",
            "increased",
            "increasing",
            "climb",
            "climbed",
            "climbing",
            "gone up",
            "going up",
            "trending up",
            "upward",
            "upwards",
        ],
    ),
    (
        Claim::Direction(Direction::Falling),
        &[
            "trended downward",
            "trending downward",
            "trended down",
            "downward trend",
            "falling trend",
            "fall",
            "falling",
            "fell",
            "fallen",
            "decrease",
            "decreased",
            "decreasing",
            "decline",
            "declined",
            "declining",
            "drop",
            "dropped",
            "dropping",
            "gone down",
            "going down",
            "trending down",
            "downward",
            "downwards",
        ],
    ),
    (
        Claim::Direction(Direction::Steady),
        &[
            "steady",
            "stable",
            "no clear trend",
            "no trend",
            "no clear change",
            "no significant trend",
            "no clear upward or downward trend",
            "no clear rise or fall",
        ],
    ),
    (Claim::Number(0), &["zero"]),
    (Claim::Number(1), &["one"]),
    (Claim::Number(2), &["two"]),
    (Claim::Number(3), &["three"]),
    (Claim::Number(4), &["four"]),
    (Claim::Number(5), &["five"]),
    (Claim::Number(6), &["six"]),
    (Claim::Number(7), &["seven"]),
    (Claim::Number(8), &["eight"]),
    (Claim::Number(9), &["nine"]),
    (Claim::Number(10), &["ten"]),
    (
        Claim::Unit("/min"),
        &[
            "bpm",
            "beats per minute",
            "beats a minute",
            "breaths per minute",
            "breaths a minute",
            "per minute",
        ],
    ),
    (Claim::Unit("%"), &["percent", "per cent"]),
    (Claim::Unit("min"), &["minute"]),
    (Claim::Unit("h"), &["hour", "h"]),
    (Claim::Unit("ms"), &["millisecond", "ms"]),
    (Claim::Unit("d"), &["day"]),
    (Claim::Unit("mg/dL"), &["mg dl"]),
    (Claim::Unit("mmol/L"), &["mmol l"]),
    (Claim::Unit("mL/min/kg"), &["ml min kg", "ml kg min"]),
    (Claim::Unit("kg/m2"), &["kg m2"]),
    (Claim::Unit("mm[Hg]"), &["mmhg"]),
    (Claim::Unit("km"), &["km", "kilometer", "kilometre"]),
    (Claim::Unit("m"), &["m", "meter", "metre"]),
    (Claim::Unit("[mi_i]"), &["mile", "mi"]),
    (Claim::Unit("cm"), &["cm"]),
    (Claim::Unit("kg"), &["kg", "kilogram"]),
    (Claim::Unit("[lb_av]"), &["lb", "pound"]),
    (Claim::Unit("kcal"), &["kcal", "calorie", "kilocalorie"]),
    (Claim::Unit("mL"), &["ml", "milliliter", "millilitre"]),
    (Claim::Unit("L"), &["l", "liter", "litre"]),
    (Claim::Unit("Cel"), &["°c", "c", "degrees celsius"]),
    (Claim::Unit("[degF]"), &["°f", "f", "degrees fahrenheit"]),
    (
        Claim::Boundary,
        &[
            "and",
            "but",
            "while",
            "whereas",
            "versus",
            "vs",
            "with",
            "against",
            "compared with",
            "compared to",
        ],
    ),
];

/// Words that claim nothing by themselves, in the singular. A sentence that
/// holds any other word than these, those of phrases, and names of data types,
/// may say anything: it does not pass. There is no "not" here, nor "never",
/// "always" or "every"; no "good" and no "bad"; nothing that a doctor would say.
pub const NEUTRAL_WORDS: &[&str] = &[
    "a",
    "about",
    "across",
    "additionally",
    "also",
    "amount",
    "amounted",
    "an",
    "approximately",
    "are",
    "around",
    "at",
    "based",
    "be",
    "been",
    "breath",
    "by",
    "came",
    "come",
    "coming",
    "during",
    "figure",
    "for",
    "gradually",
    "had",
    "has",
    "have",
    "here",
    "in",
    "is",
    "level",
    "meanwhile",
    "of",
    "on",
    "overall",
    "remain",
    "remained",
    "roughly",
    "seen",
    "show",
    "showed",
    "showing",
    "shown",
    "spent",
    "stay",
    "stayed",
    "steadily",
    "step",
    "the",
    "there",
    "this",
    "to",
    "value",
    "was",
    "were",
    "within",
    "you",
    "your",
];

/// Whether a word, as [`words`](crate::insights::question::tokenize::tokenize) gives it, claims
/// nothing.
pub fn is_neutral(word: &str) -> bool {
    static SET: LazyLock<HashSet<String>> = LazyLock::new(|| {
        NEUTRAL_WORDS
            .iter()
            .map(|word| normalize_word(word))
            .collect()
    });
    SET.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::question::tokenize::tokenize;

    #[test]
    fn the_longest_phrase_is_what_counts() {
        let found = |text: &str| -> Vec<Claim> {
            PHRASES
                .find(&tokenize(text))
                .into_iter()
                .map(|(_, claim)| *claim)
                .collect()
        };
        assert_eq!(found("in the last 7 days"), [Claim::Period(Span::Week)]);
        assert_eq!(
            found("no clear trend"),
            [Claim::Direction(Direction::Steady)]
        );
        assert_eq!(found("beats per minute"), [Claim::Unit("/min")]);
        assert_eq!(found("time in range"), [Claim::Bounds(S::TimeInRange)]);
    }
}
