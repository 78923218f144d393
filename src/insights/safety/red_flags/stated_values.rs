use std::sync::LazyLock;

use regex::{Captures, Regex, RegexBuilder};

use super::limits::{DIASTOLIC, GLUCOSE, Limit, OXYGEN, SYSTOLIC};
use super::red_flag::RedFlagKind;
use super::spelling::without_breaks;
use crate::domain::vocabulary::convert;

/// A value that is said: its name, at most four words like "is" between, a
/// number, perhaps a second one after "/" or "over", and what comes next.
/// "Below 54" is no value but a limit that is asked about.
const TOLD: &str = concat!(
    r"\b(?:(?P<glucose>(?:blood )?(?:sugars?|glucose)|bgl?|(?:blut)?zucker|glukose|azucar|glucosa|glucemia|sucre|(?P<french>glycemie)|(?:dexcom|libre(?: [23])?|cgm|glucometer|meter) (?:says|reads|shows))",
    r"|(?P<oxygen>spo ?2|(?:blood )?oxygen(?: saturation| sats?)?|o2(?: saturation| sats?)?|sats|pulse ox|sauerstoff(?:sae?ttigung)?|saturacion|saturation|oxigeno|oxygene)",
    r"|(?P<pressure>bp|blood pressure|blutdruck|presion(?: arterial)?|tension(?: arterielle| arterial)?|pression arterielle|systolic|systole)",
    r"|(?P<diastolic>diastolic|diastole))",
    r" (?:(?:is|was|are|at|of|reads?|reading|levels?|value|now|s|just|only|currently|still|down to|up to|dropped to|fell to|went to|has|says|shows|it|about|around|like|ist|war|liegt|bei|nur|von|auf|esta|estaba|en|est|etait|a|es|de)[ ]){0,4}",
    r"(?P<first>[0-9]+(?:\.[0-9]+)?)(?:(?:/| over | to | zu | sur | sobre | auf )(?P<second>[0-9]+))?",
    r"(?: (?P<next>(?:a m|p m|g l|[a-z0-9]+)\b)| |$)",
);

/// What counts something else: "my sugar at 2 am", "of 10 g".
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

/// "How often was my glucose at 50?" asks about the past.
const ASKED: &str = r"\b(?:how often|how many times|how long|how much time) (?:[a-z]+ ){0,4}(?:sugar|glucose|oxygen|spo2|pressure)\b";

// Part of the program: a test makes sure that they compile.
static TOLD_COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(TOLD));
static ASKED_COMPILED: LazyLock<Option<Regex>> = LazyLock::new(|| compiled(ASKED));

fn compiled(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).unicode(false).build().ok()
}

/// What a value that a [normal](super::spelling::normal) text says calls for
/// help for, by the limits of readings.
pub fn in_stated_values(normal: &str) -> Option<RedFlagKind> {
    let text = without_breaks(normal);
    let text = ASKED_COMPILED.as_ref()?.replace_all(&text, "#");
    TOLD_COMPILED
        .as_ref()?
        .captures_iter(&text)
        .find_map(|told| crossed(&told))
}

fn crossed(told: &Captures<'_>) -> Option<RedFlagKind> {
    let number = |name: &str| told.name(name)?.as_str().parse::<f64>().ok();
    let next = told.name("next").map_or("", |next| next.as_str());
    let first = number("first").filter(|value| *value > 0.0)?;
    if OTHER_UNITS.contains(&next) {
        return None;
    }
    let crosses = |limit: &Limit, value: f64| limit.is_crossed_by(value).then_some(limit.kind);
    if told.name("glucose").is_some() {
        let is_molar = next.starts_with("mmol") || (first < MOLAR_BELOW && next != "mg");
        let in_grams = next == "g l" || (told.name("french").is_some() && first < GRAMS_BELOW);
        let value = match (next.starts_with("mmol"), in_grams) {
            (false, true) => first * 100.0,
            _ if is_molar => convert(first, "mmol/L", "mg/dL")?,
            _ => first,
        };
        crosses(&GLUCOSE, value)
    } else if told.name("oxygen").is_some() {
        let percent = if first <= 1.0 { first * 100.0 } else { first };
        // Less is a count of something else.
        (percent >= LEAST_OXYGEN).then(|| crosses(&OXYGEN, percent))?
    } else if told.name("diastolic").is_some() {
        crosses(&DIASTOLIC, first)
    } else {
        crosses(&SYSTOLIC, first).or_else(|| crosses(&DIASTOLIC, number("second")?))
    }
}

/// A glucose value below this without a unit is in mmol/L: in mg/dL nobody
/// could ask.
const MOLAR_BELOW: f64 = 20.0;

/// In French it is told in g/L, of which about 1 is normal.
const GRAMS_BELOW: f64 = 3.0;

/// In percent; with less nobody lives.
const LEAST_OXYGEN: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_judged_by_the_limits_of_readings() {
        assert!(TOLD_COMPILED.is_some() && ASKED_COMPILED.is_some());
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
            assert_eq!(in_stated_values(text), expected, "{text}");
        }
    }
}
