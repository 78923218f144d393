//! Phrases with a known meaning, and neutral words.

use std::collections::HashSet;
use std::sync::LazyLock;

use Statistic as S;

use crate::insights::facts::{Statistic, WindowLength};
use crate::insights::question::tokenize::{PhraseTable, normalize_word};
use crate::statistics::Direction;

/// Assertion that a phrase makes about the numbers near it, or about the facts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Assertion {
    /// The numbers are of one of these statistics.
    Statistic(&'static [Statistic]),
    /// The number is a share of this statistic, whose bounds these are: the
    /// digits of "below 70" belong to its name.
    Bounds(Statistic),
    /// The numbers are of this period.
    Period(WindowLength),
    /// The numbers are of the local day of the newest reading.
    NewestDay,
    /// The numbers are daily values.
    PerDay,
    /// The numbers are nightly values: daily ones of sleep.
    PerNight,
    /// Readings exist.
    Recorded,
    /// The number is of something that is walked.
    Walked,
    /// No assertion.
    Filler,
    /// Two numbers follow: the minimum and the maximum.
    Range,
    /// The values change in this direction.
    Direction(Direction),
    /// A number in words.
    Number(u32),
    /// The number before it has this unit.
    Unit(&'static str),
    /// A new clause starts.
    Boundary,
}

/// Phrases of [`TABLE`], of which the longest match counts.
pub static PHRASES: LazyLock<PhraseTable<Assertion>> = LazyLock::new(|| {
    let table = TABLE.iter();
    PhraseTable::new(
        table.flat_map(|(assertion, phrases)| phrases.iter().map(|phrase| (*phrase, *assertion))),
    )
});

const TABLE: &[(Assertion, &[&str])] = &[
    (Assertion::Walked, &["walked", "took"]),
    (Assertion::Filler, &["of the time"]),
    (Assertion::PerNight, &["a night", "per night", "nightly"]),
    (
        Assertion::Recorded,
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
        Assertion::Period(WindowLength::Day),
        &[
            "last 24 hours",
            "past 24 hours",
            "most recent 24 hours",
            "latest 24 hours",
            "last 24 h",
        ],
    ),
    (
        Assertion::Period(WindowLength::Week),
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
        Assertion::Period(WindowLength::Month),
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
        Assertion::NewestDay,
        &["newest day", "latest day", "most recent day"],
    ),
    (
        Assertion::PerDay,
        &["a day", "per day", "daily", "day to day", "from day to day"],
    ),
    (
        Assertion::Statistic(&[S::Mean, S::DailyMean, S::WeekdayMean, S::WeekendMean]),
        &["average", "averaged", "averaging", "averages", "mean"],
    ),
    (
        Assertion::Statistic(&[S::Mean, S::DailyMean, S::Median, S::BaselineMedian]),
        &["typical", "typically"],
    ),
    (
        Assertion::Statistic(&[S::Median, S::BaselineMedian]),
        &["median"],
    ),
    (
        Assertion::Statistic(&[S::BaselineMedian]),
        &["usual", "usually", "baseline"],
    ),
    (
        Assertion::Statistic(&[S::Min, S::DailyMin]),
        &["low of", "shortest", "lowest", "minimum", "min"],
    ),
    (
        Assertion::Statistic(&[S::Max, S::DailyMax]),
        &[
            "high of", "longest", "highest", "maximum", "max", "peak", "peaked", "peaking",
        ],
    ),
    (
        Assertion::Statistic(&[S::Last]),
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
        Assertion::Statistic(&[S::Sum]),
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
        Assertion::Statistic(&[S::Count]),
        &["reading", "measurement", "data point", "number of readings"],
    ),
    (
        Assertion::Statistic(&[S::LongestGap]),
        &["gap", "longest gap"],
    ),
    (Assertion::Statistic(&[S::P10]), &["10th percentile"]),
    (Assertion::Statistic(&[S::P90]), &["90th percentile"]),
    (Assertion::Statistic(&[S::WeekdayMean]), &["weekday"]),
    (Assertion::Statistic(&[S::WeekendMean]), &["weekend"]),
    (
        Assertion::Statistic(&[S::Outliers]),
        &["outlier", "unusual"],
    ),
    (
        Assertion::Statistic(&[S::Suspect]),
        &["suspect", "implausible"],
    ),
    (
        Assertion::Statistic(&[S::DailyDeviation]),
        &["standard deviation"],
    ),
    (
        Assertion::Statistic(&[
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
        Assertion::Statistic(&[S::CoefficientOfVariation]),
        &["cv", "coefficient of variation"],
    ),
    (
        Assertion::Statistic(&[S::GlucoseManagementIndicator]),
        &["glucose management indicator", "gmi"],
    ),
    (Assertion::Statistic(&[S::TrendPerDay]), &["trend"]),
    (
        Assertion::Statistic(&[S::RestingEstimate]),
        &["estimated", "estimate"],
    ),
    (
        Assertion::Bounds(S::TimeInRange),
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
        Assertion::Bounds(S::TimeVeryLow),
        &["below 54", "under 54", "very low"],
    ),
    (
        Assertion::Bounds(S::TimeLow),
        &[
            "below 70",
            "under 70",
            "below range",
            "below the target range",
            "time below range",
        ],
    ),
    (
        Assertion::Bounds(S::TimeHigh),
        &[
            "above 180",
            "over 180",
            "above range",
            "above the target range",
            "time above range",
        ],
    ),
    (
        Assertion::Bounds(S::TimeVeryHigh),
        &["above 250", "over 250", "very high"],
    ),
    (
        Assertion::Range,
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
        Assertion::Direction(Direction::Rising),
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
        Assertion::Direction(Direction::Falling),
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
        Assertion::Direction(Direction::Steady),
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
    (Assertion::Number(0), &["zero"]),
    (Assertion::Number(1), &["one"]),
    (Assertion::Number(2), &["two"]),
    (Assertion::Number(3), &["three"]),
    (Assertion::Number(4), &["four"]),
    (Assertion::Number(5), &["five"]),
    (Assertion::Number(6), &["six"]),
    (Assertion::Number(7), &["seven"]),
    (Assertion::Number(8), &["eight"]),
    (Assertion::Number(9), &["nine"]),
    (Assertion::Number(10), &["ten"]),
    (
        Assertion::Unit("/min"),
        &[
            "bpm",
            "beats per minute",
            "beats a minute",
            "breaths per minute",
            "breaths a minute",
            "per minute",
        ],
    ),
    (Assertion::Unit("%"), &["percent", "per cent"]),
    (Assertion::Unit("min"), &["minute"]),
    (Assertion::Unit("h"), &["hour", "h"]),
    (Assertion::Unit("ms"), &["millisecond", "ms"]),
    (Assertion::Unit("d"), &["day"]),
    (Assertion::Unit("mg/dL"), &["mg dl"]),
    (Assertion::Unit("mmol/L"), &["mmol l"]),
    (Assertion::Unit("mL/min/kg"), &["ml min kg", "ml kg min"]),
    (Assertion::Unit("kg/m2"), &["kg m2"]),
    (Assertion::Unit("mm[Hg]"), &["mmhg"]),
    (Assertion::Unit("km"), &["km", "kilometer", "kilometre"]),
    (Assertion::Unit("m"), &["m", "meter", "metre"]),
    (Assertion::Unit("[mi_i]"), &["mile", "mi"]),
    (Assertion::Unit("cm"), &["cm"]),
    (Assertion::Unit("kg"), &["kg", "kilogram"]),
    (Assertion::Unit("[lb_av]"), &["lb", "pound"]),
    (Assertion::Unit("kcal"), &["kcal", "calorie", "kilocalorie"]),
    (Assertion::Unit("mL"), &["ml", "milliliter", "millilitre"]),
    (Assertion::Unit("L"), &["l", "liter", "litre"]),
    (Assertion::Unit("Cel"), &["°c", "c", "degrees celsius"]),
    (
        Assertion::Unit("[degF]"),
        &["°f", "f", "degrees fahrenheit"],
    ),
    (
        Assertion::Boundary,
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

/// Words that assert nothing by themselves, in the singular. A sentence with a
/// word that is neither here nor in a phrase or the name of a data type could
/// state anything, so it fails. The list has no negation ("not", "never"), no
/// quantifier ("always", "every"), no judgement ("good", "bad") and no medical
/// term.
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

/// Returns true if a word, normalized as by [`words`](crate::insights::question::tokenize::tokenize),
/// asserts nothing.
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
    fn longest_phrase_wins() {
        let found = |text: &str| -> Vec<Assertion> {
            PHRASES
                .find(&tokenize(text))
                .into_iter()
                .map(|(_, assertion)| *assertion)
                .collect()
        };
        assert_eq!(
            found("in the last 7 days"),
            [Assertion::Period(WindowLength::Week)]
        );
        assert_eq!(
            found("no clear trend"),
            [Assertion::Direction(Direction::Steady)]
        );
        assert_eq!(found("beats per minute"), [Assertion::Unit("/min")]);
        assert_eq!(found("time in range"), [Assertion::Bounds(S::TimeInRange)]);
    }
}
