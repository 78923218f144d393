//! What words in a model's sentence claim.

use std::cmp::Ordering::{self, Equal, Greater, Less};
use std::sync::LazyLock;

use Statistic as S;

use crate::insights::fact::{Span, Statistic};
use crate::insights::words::Lexicon;
use crate::statistics::Direction;

/// What a phrase says of the numbers near it, or of the facts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Claim {
    /// They are of one of these statistics.
    Statistic(&'static [Statistic]),
    /// A bound that belongs to the name of this statistic, such as the 70 of
    /// "below 70".
    Threshold(Statistic),
    /// They are of this period.
    Period(Span),
    /// They are of another period than any that facts are of.
    OtherPeriod,
    /// Two numbers follow, the least and the greatest.
    Range,
    /// Values go this way.
    Direction(Direction),
    /// Values get better or worse, which no fact says.
    Judgement,
    /// The first of two numbers is greater, or less, than the second; `Equal`
    /// stands for a comparison that does not say with what.
    Comparison(Ordering),
    /// A number in words.
    Number(u32),
    /// A ratio in words, which no fact is.
    Ratio,
    /// Numbers before it have this unit.
    Unit(&'static str),
    /// A new clause begins.
    Boundary,
}

/// The phrases, longest first at each place.
pub static PHRASES: LazyLock<Lexicon<Claim>> = LazyLock::new(|| {
    Lexicon::new(
        TABLE
            .iter()
            .flat_map(|(claim, phrases)| phrases.iter().map(|phrase| (*phrase, *claim))),
    )
});

const TABLE: &[(Claim, &[&str])] = &[
    (
        Claim::Period(Span::Day),
        &[
            "last 24 hours",
            "past 24 hours",
            "24 hours up to",
            "last 24 h",
            "past 24 h",
            "24 hour",
            "last day",
            "past day",
            "today",
        ],
    ),
    (
        Claim::Period(Span::Week),
        &[
            "last 7 days",
            "past 7 days",
            "7 days up to",
            "7 day average",
            "7 day mean",
            "last seven days",
            "past seven days",
            "last week",
            "past week",
            "this week",
        ],
    ),
    (
        Claim::Period(Span::Month),
        &[
            "last 30 days",
            "past 30 days",
            "30 days up to",
            "30 day average",
            "30 day mean",
            "last thirty days",
            "past thirty days",
            "last month",
            "past month",
            "this month",
        ],
    ),
    (
        Claim::OtherPeriod,
        &[
            "last 14 days",
            "past 14 days",
            "last two weeks",
            "past two weeks",
            "last 90 days",
            "last 3 months",
            "past 3 months",
            "last three months",
            "last year",
            "past year",
            "this year",
            "previous week",
            "previous 7 days",
            "week before",
            "previous month",
            "month before",
            "previous 30 days",
            "yesterday",
            "last night",
            "all time",
            "last 48 hours",
            "last 2 days",
            "last two days",
            "last few days",
            "last weekend",
        ],
    ),
    (
        Claim::Statistic(&[S::Mean, S::DailyMean, S::WeekdayMean, S::WeekendMean]),
        &[
            "average",
            "averaged",
            "averaging",
            "averages",
            "mean",
            "typical",
            "typically",
        ],
    ),
    (
        Claim::Statistic(&[S::Median, S::BaselineMedian]),
        &["median"],
    ),
    (
        Claim::Statistic(&[S::BaselineMedian, S::BaselineSpread, S::Median]),
        &["usual", "usually", "baseline", "normally"],
    ),
    (
        Claim::Statistic(&[S::Min, S::DailyMin]),
        &[
            "lowest",
            "minimum",
            "min",
            "least",
            "smallest",
            "low of",
            "as low as",
            "bottom",
        ],
    ),
    (
        Claim::Statistic(&[S::Max, S::DailyMax]),
        &[
            "highest",
            "maximum",
            "max",
            "greatest",
            "peak",
            "peaked",
            "peaking",
            "high of",
            "as high as",
            "top",
            "most",
        ],
    ),
    (
        Claim::Statistic(&[S::Last, S::Sum]),
        &[
            "latest",
            "newest",
            "most recent",
            "last reading",
            "last value",
            "last measurement",
            "latest reading",
            "last",
            "current",
            "currently",
            "newest day",
        ],
    ),
    (
        Claim::Statistic(&[S::Sum]),
        &[
            "total",
            "totals",
            "totalled",
            "totaled",
            "totalling",
            "totaling",
            "altogether",
            "in all",
            "sum",
            "in total",
            "cumulative",
        ],
    ),
    (
        Claim::Statistic(&[S::Count, S::Suspect]),
        &[
            "reading",
            "measurement",
            "sample",
            "data point",
            "number of readings",
        ],
    ),
    (
        Claim::Statistic(&[S::Days, S::Outliers]),
        &["number of days"],
    ),
    (
        Claim::Statistic(&[S::LongestGap]),
        &["gap", "longest gap", "without readings"],
    ),
    (Claim::Statistic(&[S::P10, S::P90]), &["a tenth"]),
    (Claim::Statistic(&[S::P10]), &["10th percentile"]),
    (Claim::Statistic(&[S::P90]), &["90th percentile"]),
    (
        Claim::Statistic(&[S::WeekdayMean]),
        &["weekday", "workday", "weekday average", "weekday mean"],
    ),
    (
        Claim::Statistic(&[S::WeekendMean]),
        &["weekend", "weekend average", "weekend mean"],
    ),
    (
        Claim::Statistic(&[S::Outliers]),
        &["outlier", "unusual day", "unusual"],
    ),
    (
        Claim::Statistic(&[S::Suspect]),
        &["suspect", "implausible", "cannot be true"],
    ),
    (
        Claim::Statistic(&[S::DailyDeviation, S::BaselineSpread]),
        &["standard deviation", "deviation", "spread"],
    ),
    (
        Claim::Statistic(&[
            S::CoefficientOfVariation,
            S::DailyDeviation,
            S::BaselineSpread,
        ]),
        &["variability", "variation", "varies", "varied", "vary"],
    ),
    (
        Claim::Statistic(&[S::CoefficientOfVariation]),
        &["coefficient of variation", "cv"],
    ),
    (
        Claim::Statistic(&[S::GlucoseManagementIndicator]),
        &[
            "glucose management indicator",
            "management indicator",
            "gmi",
        ],
    ),
    (
        Claim::Statistic(&[S::TimeInRange]),
        &[
            "time in range",
            "in range",
            "within range",
            "target range",
            "in the target range",
            "in target",
        ],
    ),
    (
        Claim::Statistic(&[S::TimeLow]),
        &["below range", "time below range"],
    ),
    (
        Claim::Statistic(&[S::TimeHigh]),
        &["above range", "time above range"],
    ),
    (Claim::Statistic(&[S::TimeVeryLow]), &["very low"]),
    (Claim::Statistic(&[S::TimeVeryHigh]), &["very high"]),
    (
        Claim::Statistic(&[
            S::DailyMean,
            S::TrendPerDay,
            S::DailyMin,
            S::DailyMax,
            S::BaselineMedian,
        ]),
        &["a day", "per day", "each day", "every day", "daily average"],
    ),
    (
        Claim::Statistic(&[S::TrendPerDay]),
        &["slope", "trend", "rate of change"],
    ),
    (
        Claim::Statistic(&[S::RestingEstimate]),
        &["estimated", "estimate"],
    ),
    (
        Claim::Threshold(S::TimeInRange),
        &["70 to 180", "70 180", "70 and 180"],
    ),
    (Claim::Threshold(S::TimeVeryLow), &["below 54", "under 54"]),
    (Claim::Threshold(S::TimeLow), &["below 70", "under 70"]),
    (Claim::Threshold(S::TimeHigh), &["above 180", "over 180"]),
    (
        Claim::Threshold(S::TimeVeryHigh),
        &["above 250", "over 250"],
    ),
    (
        Claim::Range,
        &[
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
            "grew",
            "grow",
            "growing",
            "grown",
            "went up",
            "gone up",
            "going up",
            "go up",
            "trending up",
            "upward",
            "uptrend",
            "upwards",
            "gain",
            "gained",
            "gaining",
            "crept up",
            "picked up",
            "surge",
            "surged",
            "jump",
            "jumped",
        ],
    ),
    (
        Claim::Direction(Direction::Falling),
        &[
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
            "went down",
            "gone down",
            "going down",
            "go down",
            "came down",
            "come down",
            "coming down",
            "trending down",
            "downward",
            "downtrend",
            "downwards",
            "shrank",
            "shrinking",
            "slip",
            "slipped",
            "plunged",
            "sank",
            "reduced",
            "reduction",
        ],
    ),
    (
        Claim::Direction(Direction::Steady),
        &[
            "steady",
            "stable",
            "constant",
            "unchanged",
            "flat",
            "no clear trend",
            "no trend",
            "no clear change",
            "no significant trend",
            "level off",
            "leveled off",
            "plateaued",
            "no change",
            "not changed",
            "consistent",
        ],
    ),
    (
        Claim::Judgement,
        &[
            "improve",
            "improved",
            "improving",
            "improvement",
            "better",
            "worse",
            "worsen",
            "worsened",
            "worsening",
            "deteriorate",
            "deteriorated",
            "deteriorating",
            "progress",
            "recovered",
            "doubling",
            "record",
            "unusually",
            "abnormal",
            "normal",
            "correlate",
            "correlated",
            "correlation",
            "because",
            "caused",
            "due to",
        ],
    ),
    (
        Claim::Comparison(Greater),
        &[
            "higher than",
            "more than",
            "greater than",
            "longer than",
            "larger than",
            "above your",
            "above the",
            "exceed",
            "exceeded",
            "exceeding",
            "over your",
            "faster than",
        ],
    ),
    (
        Claim::Comparison(Less),
        &[
            "lower than",
            "less than",
            "fewer than",
            "shorter than",
            "smaller than",
            "below your",
            "below the",
            "under your",
            "slower than",
        ],
    ),
    (
        Claim::Comparison(Equal),
        &[
            "higher",
            "lower",
            "more",
            "less",
            "fewer",
            "longer",
            "shorter",
            "greater",
            "smaller",
            "same as",
            "equal to",
            "similar to",
        ],
    ),
    (Claim::Number(0), &["zero"]),
    (Claim::Number(2), &["two"]),
    (Claim::Number(3), &["three"]),
    (Claim::Number(4), &["four"]),
    (Claim::Number(5), &["five"]),
    (Claim::Number(6), &["six"]),
    (Claim::Number(7), &["seven"]),
    (Claim::Number(8), &["eight"]),
    (Claim::Number(9), &["nine"]),
    (Claim::Number(10), &["ten"]),
    (Claim::Number(11), &["eleven"]),
    (Claim::Number(12), &["twelve"]),
    (
        Claim::Ratio,
        &[
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
            "thirty",
            "forty",
            "fifty",
            "sixty",
            "seventy",
            "eighty",
            "ninety",
            "hundred",
            "thousand",
            "million",
            "dozen",
            "half",
            "halves",
            "halved",
            "third",
            "quarter",
            "twice",
            "double",
            "doubled",
            "triple",
            "tripled",
            "threefold",
            "twofold",
            "tenfold",
            "couple",
            "several",
            "majority",
            "percent of your",
        ],
    ),
    (
        Claim::Unit("/min"),
        &[
            "bpm",
            "beats per minute",
            "beats a minute",
            "breaths per minute",
            "per minute",
        ],
    ),
    (Claim::Unit("%"), &["percent", "per cent"]),
    (Claim::Unit("min"), &["minute", "min"]),
    (Claim::Unit("h"), &["hour", "h"]),
    (Claim::Unit("s"), &["second"]),
    (Claim::Unit("ms"), &["millisecond", "ms"]),
    (Claim::Unit("d"), &["day"]),
    (Claim::Unit("mg/dL"), &["mg dl"]),
    (Claim::Unit("mL/min/kg"), &["ml min kg", "ml kg min"]),
    (Claim::Unit("kg/m2"), &["kg m2"]),
    (Claim::Unit("mmol/L"), &["mmol l"]),
    (Claim::Unit("mm[Hg]"), &["mmhg"]),
    (Claim::Unit("km"), &["km", "kilometer", "kilometre"]),
    (Claim::Unit("m"), &["meter", "metre"]),
    (Claim::Unit("[mi_i]"), &["mile", "mi"]),
    (Claim::Unit("kg"), &["kg", "kilogram", "kilo"]),
    (Claim::Unit("g"), &["gram"]),
    (Claim::Unit("[lb_av]"), &["lb", "pound"]),
    (Claim::Unit("kcal"), &["kcal", "calorie", "kilocalorie"]),
    (Claim::Unit("mL"), &["ml", "milliliter", "millilitre"]),
    (Claim::Unit("L"), &["liter", "litre"]),
    (Claim::Unit("Cel"), &["°c", "degrees celsius", "celsius"]),
    (
        Claim::Unit("[degF]"),
        &["°f", "degrees fahrenheit", "fahrenheit"],
    ),
    (
        Claim::Boundary,
        &[
            "and", "but", "while", "whereas", "versus", "vs", "with", "though", "although",
            "compared", "plus", "or",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::words::words;

    #[test]
    fn the_longest_phrase_is_what_counts() {
        let found = |text: &str| -> Vec<Claim> {
            PHRASES
                .find(&words(text))
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
        assert_eq!(
            found("time in range"),
            [Claim::Statistic(&[S::TimeInRange])]
        );
    }
}
