use super::Label;

/// Conversion of a unit to its base unit: `value × factor + offset`.
struct Conversion {
    /// Spellings, UCUM's first.
    spellings: &'static [&'static str],
    base: &'static str,
    factor: f64,
    offset: f64,
}

const fn unit(spellings: &'static [&'static str], base: &'static str, factor: f64) -> Conversion {
    Conversion {
        spellings,
        base,
        factor,
        offset: 0.0,
    }
}

/// Units of the vocabulary, and other units in which phones and watches report the same
/// quantities. Factors are from NIST SP 811, appendix B; that of kPa is rounded, and
/// glucose has the molar mass 180.156 g/mol.
const CONVERSIONS: &[Conversion] = &[
    unit(
        &[
            "/min",
            "bpm",
            "beats/min",
            "count/min",
            "1/min",
            "min-1",
            "breaths/min",
            "rpm",
        ],
        "/min",
        1.0,
    ),
    unit(&["Hz", "/s", "1/s", "count/s"], "/min", 60.0),
    unit(&["min", "mins", "minute", "minutes"], "min", 1.0),
    unit(&["h", "hr", "hrs", "hour", "hours"], "min", 60.0),
    unit(
        &["s", "sec", "secs", "second", "seconds"],
        "min",
        1.0 / 60.0,
    ),
    unit(
        &["ms", "msec", "millisecond", "milliseconds"],
        "min",
        1.0 / 60_000.0,
    ),
    unit(&["d", "day", "days"], "d", 1.0),
    unit(&["m", "meter", "meters", "metres"], "m", 1.0),
    unit(&["km", "kilometers", "kilometres"], "m", 1_000.0),
    unit(&["cm", "centimeters", "centimetres"], "m", 0.01),
    unit(&["[mi_i]", "mi", "mile", "miles"], "m", 1_609.344),
    unit(&["[ft_i]", "ft", "foot", "feet"], "m", 0.304_8),
    unit(&["[in_i]", "in", "inch", "inches"], "m", 0.025_4),
    unit(&["kg", "kgs", "kilogram", "kilograms"], "kg", 1.0),
    unit(&["g", "gram", "grams"], "kg", 0.001),
    unit(&["mg", "milligram", "milligrams"], "kg", 1e-6),
    unit(&["ug", "mcg", "microgram", "micrograms"], "kg", 1e-9),
    unit(
        &["[lb_av]", "lb", "lbs", "pound", "pounds"],
        "kg",
        0.453_592_37,
    ),
    unit(&["kg/m2", "kg/m^2"], "kg/m2", 1.0),
    unit(&["m/s"], "m/s", 1.0),
    unit(&["km/h", "kmh", "kph"], "m/s", 1.0 / 3.6),
    unit(&["[mi_i]/h", "mph", "mi/h"], "m/s", 0.447_04),
    unit(&["W", "watt", "watts"], "W", 1.0),
    unit(&["dB", "decibel", "decibels"], "dB", 1.0),
    unit(&["Cel", "degC", "C", "celsius"], "Cel", 1.0),
    Conversion {
        spellings: &["[degF]", "F", "fahrenheit"],
        base: "Cel",
        factor: 5.0 / 9.0,
        offset: -160.0 / 9.0,
    },
    unit(&["%", "percent", "pct", "%O2", "%SpO2", "%sat"], "%", 1.0),
    unit(&["1", "fraction", "ratio"], "%", 100.0),
    unit(
        &["mg/dL", "mgdL", "mg/100mL", "mg%", "mgperdL"],
        "mg/dL",
        1.0,
    ),
    unit(
        &["mmol/L", "mM", "mmolL", "mmolperL", "millimol/L"],
        "mg/dL",
        18.015_6,
    ),
    unit(&["g/L", "gL", "gperL"], "mg/dL", 100.0),
    unit(&["mm[Hg]", "torr"], "mm[Hg]", 1.0),
    unit(&["cm[Hg]"], "mm[Hg]", 10.0),
    unit(&["kPa", "kilopascal"], "mm[Hg]", 7.500_617),
    unit(&["kcal", "[Cal]", "Cal", "kilocalories"], "kcal", 1.0),
    unit(&["kJ", "kilojoules"], "kcal", 1.0 / 4.184),
    unit(&["mL", "milliliters", "millilitres"], "mL", 1.0),
    unit(&["L", "l", "liters", "litres"], "mL", 1_000.0),
    unit(&["mL/min/kg", "mL/kg/min", "mL/(kg.min)"], "mL/min/kg", 1.0),
    unit(&["{steps}", "steps", "count", "step"], "{steps}", 1.0),
    unit(&["{flights}", "flights", "floors"], "{flights}", 1.0),
    unit(&["{score}", "score", "points"], "{score}", 1.0),
];

/// Finds a unit by its spelling, exactly or else [folded](fold_unit).
fn conversion(unit: &str) -> Option<&'static Conversion> {
    find(unit).map(|(conversion, _)| conversion)
}

/// Finds a unit by its spelling. Also returns the spelling of the table.
fn find(unit: &str) -> Option<(&'static Conversion, &'static str)> {
    let find = |matches: &dyn Fn(&str) -> bool| {
        CONVERSIONS.iter().find_map(|conversion| {
            let mut spellings = conversion.spellings.iter();
            let spelling = spellings.find(|spelling| matches(spelling))?;
            Some((conversion, *spelling))
        })
    };
    find(&|spelling| spelling == unit).or_else(|| {
        let folded = fold_unit(unit);
        // The case of single letters matters: "M" is not a meter.
        if folded.len() < 2 || CASE_SENSITIVE.contains(&folded.as_str()) {
            return None;
        }
        find(&|spelling| fold_unit(spelling) == folded)
    })
}

/// Returns the spelling without case, brackets and separators, in which clients
/// differ: `mg_dl`, `{beats}/min`, `mm_Hg`. A slash remains.
fn fold_unit(unit: &str) -> String {
    unit.chars()
        .filter(|character| !"_-. ()[]{}".contains(*character))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// Folded spellings whose case matters: 1,000 small calories ("cal") are one "Cal",
/// and "mm" is a length, "mM" a concentration.
const CASE_SENSITIVE: &[&str] = &["cal", "mm"];

/// Returns the name of a unit in answers: UCUM's spelling, or the client's word for
/// what is counted. `None` if the unit is not known.
pub fn unit_label(unit: &str) -> Option<Label> {
    let (conversion, spelling) = find(unit)?;
    let is_counted = conversion.base.starts_with('{');
    Some(Label::new(if is_counted {
        spelling
    } else {
        conversion.spellings.first()?
    }))
}

/// Converts `value` from one unit to another; `None` if no conversion is known.
pub fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(value);
    }
    let (from, to) = (conversion(from)?, conversion(to)?);
    (from.base == to.base).then(|| (value * from.factor + from.offset - to.offset) / to.factor)
}

/// Returns `true` if two spellings mean the same unit.
pub fn same_unit(one: &str, other: &str) -> bool {
    one == other
        || matches!(
            (conversion(one), conversion(other)),
            (Some(one), Some(other)) if std::ptr::eq(one, other)
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_match_published_values() {
        for (value, from, to, expected) in [
            (5.5, "mmol/L", "mg/dL", 99.0858),
            (98.6, "[degF]", "Cel", 37.0),
            (212.0, "[degF]", "Cel", 100.0),
            (37.0, "Cel", "[degF]", 98.6),
            (8.0, "h", "min", 480.0),
            (26.2, "[mi_i]", "km", 42.164_812_8),
            (150.0, "[lb_av]", "kg", 68.038_855_5),
            (16.0, "kPa", "mm[Hg]", 120.009_872),
            (0.98, "1", "%", 98.0),
        ] {
            let converted = convert(value, from, to).unwrap();
            assert!(
                (converted - expected).abs() < 1e-9,
                "{value} {from}: {converted}"
            );
        }
        assert_eq!(convert(1.0, "kg", "m"), None);
        assert_eq!(convert(1.0, "spoons", "m"), None);
        assert_eq!(convert(1.5, "spoons", "spoons"), Some(1.5));
    }

    #[test]
    fn spellings_of_one_unit_are_equal() {
        assert!(same_unit("bpm", "/min") && same_unit("count", "{steps}"));
        assert!(same_unit("x", "x") && !same_unit("x", "y"));
        assert!(!same_unit("mmol/L", "mg/dL"));
        assert!(same_unit("MG/DL", "mg/dL") && same_unit("Mmol/l", "mmol/L"));
        for unknown in [
            "cal",
            "S",
            "M",
            "mm",
            "MM",
            "spoons",
            "/",
            "",
            "https://min",
        ] {
            assert_eq!(unit_label(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn units_are_named_by_our_spelling() {
        for (spellings, expected) in [
            (&["BPM", "{beats}/min", "Count/min"][..], "/min"),
            (&["KCAL", "Cal", "[Cal]"], "kcal"),
            (&["Percent", "pct", "%SpO2", "%[O2]", "% sat"], "%"),
            (&["ratio", "{fraction}"], "1"),
            (
                &["MG/DL", "mg_dl", "mgdl", "mg%", "mg/100mL", "mg/(100.mL)"],
                "mg/dL",
            ),
            (&["Mmol/l", "mM", "mmol_l"], "mmol/L"),
            (&["mm_Hg", "mmHg", "MMHG", "torr", "mm Hg"], "mm[Hg]"),
            (&["ml/(kg.min)", "ml/kg/min"], "mL/min/kg"),
            (&["COUNT", "{count}"], "count"),
            (&["kg/m2"], "kg/m2"),
        ] {
            for spelling in spellings {
                assert_eq!(
                    unit_label(spelling).unwrap().as_str(),
                    expected,
                    "{spelling}"
                );
            }
        }
        for metric in crate::domain::vocabulary::metrics() {
            assert_eq!(unit_label(&metric.unit).unwrap().as_str(), metric.unit);
        }
    }

    #[test]
    fn every_spelling_belongs_to_one_unit() {
        let mut owners = std::collections::HashMap::new();
        for conversion in CONVERSIONS {
            for spelling in conversion.spellings {
                let owner = owners.insert(fold_unit(spelling), conversion);
                let is_own = owner.is_none_or(|owner| std::ptr::eq(owner, conversion));
                assert!(is_own, "{spelling}");
            }
        }
    }
}
