//! Measured values stated in a question.

use std::sync::LazyLock;

use regex::{Captures, Regex, RegexBuilder};

use super::limits::{DIASTOLIC, GLUCOSE, Limit, OXYGEN, SYSTOLIC};
use super::red_flag::RedFlagKind;
use super::spelling::without_breaks;
use crate::domain::vocabulary::convert;

/// Pattern of a stated value: its name, up to four words such as "is", a number,
/// optionally a second one after "/" or "over", and the next word. "Below 54" does
/// not match, since it is a limit that the question asks about.
const STATED: &str = concat!(
    r"\b(?:(?P<glucose>(?:blood )?(?:sugars?|glucose)|bgl?|(?:blut)?zucker|glukose|azucar|glucosa|glucemia|sucre|(?P<french>glycemie)|(?:dexcom|libre(?: [23])?|cgm|glucometer|meter) (?:says|reads|shows))",
    r"|(?P<oxygen>spo ?2|(?:blood )?oxygen(?: saturation| sats?)?|o2(?: saturation| sats?)?|sats|pulse ox|sauerstoff(?:sae?ttigung)?|saturacion|saturation|oxigeno|oxygene)",
    r"|(?P<pressure>bp|blood pressure|blutdruck|presion(?: arterial)?|tension(?: arterielle| arterial)?|pression arterielle|systolic|systole)",
    r"|(?P<diastolic>diastolic|diastole))",
    r" (?:(?:is|was|are|at|of|reads?|reading|levels?|value|now|s|just|only|currently|still|down to|up to|dropped to|fell to|went to|has|says|shows|it|about|around|like|ist|war|liegt|bei|nur|von|auf|esta|estaba|en|est|etait|a|es|de)[ ]){0,4}",
    r"(?P<first>[0-9]+(?:\.[0-9]+)?)(?:(?:/| over | to | zu | sur | sobre | auf )(?P<second>[0-9]+))?",
    r"(?: (?P<next>(?:a m|p m|g l|[a-z0-9]+)\b)| |$)",
);

/// Units and words after a number that is something else: "my sugar at 2 am",
/// "of 10 g".
const OTHER_UNITS: &[&str] = &[
    "a m",
    "am",
    "p m",
    "pm",
    "days",
    "day",
    "g",
    "gram",
    "grams",
    "h",
    "hour",
    "hours",
    "hr",
    "kg",
    "km",
    "l",
    "liters",
    "litres",
    "min",
    "minutes",
    "months",
    "nights",
    "oclock",
    "o",
    "points",
    "spoons",
    "steps",
    "teaspoons",
    "times",
    "uhr",
    "weeks",
    "week",
    "x",
    "years",
];

/// Pattern of questions about the past, such as "how often was my glucose at 50?".
const RETROSPECTIVE: &str = r"\b(?:how often|how many times|how long|how much time) (?:[a-z]+ ){0,4}(?:sugar|glucose|oxygen|spo2|pressure)\b";

// The patterns are constant; a test verifies that they compile.
static STATED_COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(STATED));
static RETROSPECTIVE_COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(RETROSPECTIVE));

fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

/// Returns the red flag of the first stated value beyond the [limits](super::limits)
/// of readings. `text` must be [normalized](super::spelling::normalize_spelling).
pub fn detect(text: &str) -> Option<RedFlagKind> {
    let text = without_breaks(text);
    let text = RETROSPECTIVE_COMPILED.as_ref()?.replace_all(&text, "#");
    STATED_COMPILED
        .as_ref()?
        .captures_iter(&text)
        .find_map(|stated| exceeded_limit(&stated))
}

fn exceeded_limit(stated: &Captures<'_>) -> Option<RedFlagKind> {
    let number = |name: &str| stated.name(name)?.as_str().parse::<f64>().ok();
    let next = stated.name("next").map_or("", |next| next.as_str());
    let first = number("first").filter(|value| *value > 0.0)?;
    if OTHER_UNITS.contains(&next) {
        return None;
    }
    let crosses = |limit: &Limit, value: f64| limit.is_crossed_by(value).then_some(limit.kind);
    if stated.name("glucose").is_some() {
        let is_molar = next.starts_with("mmol") || (first < MOLAR_BELOW && next != "mg");
        let in_grams = next == "g l" || (stated.name("french").is_some() && first < GRAMS_BELOW);
        let value = match (next.starts_with("mmol"), in_grams) {
            (false, true) => first * 100.0,
            _ if is_molar => convert(first, "mmol/L", "mg/dL")?,
            _ => first,
        };
        crosses(&GLUCOSE, value)
    } else if stated.name("oxygen").is_some() {
        let percent = if first <= 1.0 { first * 100.0 } else { first };
        // A smaller number counts something else.
        (percent >= MIN_OXYGEN).then(|| crosses(&OXYGEN, percent))?
    } else if stated.name("diastolic").is_some() {
        crosses(&DIASTOLIC, first)
    } else {
        crosses(&SYSTOLIC, first).or_else(|| crosses(&DIASTOLIC, number("second")?))
    }
}

/// Glucose value without a unit below which it is in mmol/L. In mg/dL, such a
/// value would mean unconsciousness.
const MOLAR_BELOW: f64 = 20.0;

/// Value below which French statements of glucose are in g/L. About 1 g/L is
/// normal.
const GRAMS_BELOW: f64 = 3.0;

/// Minimum survivable blood oxygen, in percent.
const MIN_OXYGEN: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_values_are_compared_with_the_limits_of_readings() {
        assert!(STATED_COMPILED.is_some() && RETROSPECTIVE_COMPILED.is_some());
        for (text, expected) in [
            ("my sugar is 53.9", Some(RedFlagKind::SevereHypoglycaemia)),
            ("my sugar is 54", None),
            (
                "sugar of 2.9 mmol l",
                Some(RedFlagKind::SevereHypoglycaemia),
            ),
            ("sugar of 3 mmol l", None),
            ("glucose 2.5", Some(RedFlagKind::SevereHypoglycaemia)),
            ("glucose 10 mg dl", Some(RedFlagKind::SevereHypoglycaemia)),
            ("glucose 10", None),
            ("glucose at 2 am", None),
            ("glucose at 2 a m", None),
            ("glucose at 2:30", None),
            ("sugar of 10 g", None),
            ("how often was my glucose at 50", None),
            ("how often was my glucose below 54", None),
            ("steps 40", None),
            ("ma glycemie est a 1.05", None),
            (
                "ma glycemie est a 0.4 g l",
                Some(RedFlagKind::SevereHypoglycaemia),
            ),
            (
                "glycemie 2.5 mmol l",
                Some(RedFlagKind::SevereHypoglycaemia),
            ),
            ("spo2 87.9 percent", Some(RedFlagKind::LowOxygen)),
            ("spo2 0.8", Some(RedFlagKind::LowOxygen)),
            ("spo2 88", None),
            ("oxygen 0", None),
            ("bp is 180/90", Some(RedFlagKind::VeryHighBloodPressure)),
            (
                "blood pressure 150 over 120",
                Some(RedFlagKind::VeryHighBloodPressure),
            ),
            ("bp 179/119", None),
            ("diastolic is 121", Some(RedFlagKind::VeryHighBloodPressure)),
        ] {
            assert_eq!(detect(text), expected, "{text}");
        }
    }
}
