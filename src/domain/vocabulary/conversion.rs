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
            "{beats}/min",
            "count/min",
            "1/min",
        ],
        "/min",
        1.0,
    ),
    unit(&["Hz", "/s", "1/s", "count/s"], "/min", 60.0),
    unit(&["min", "minutes"], "min", 1.0),
    unit(&["h", "hr", "hours"], "min", 60.0),
    unit(&["s", "sec", "seconds"], "min", 1.0 / 60.0),
    unit(&["ms", "milliseconds"], "min", 1.0 / 60_000.0),
    unit(&["m", "meters"], "m", 1.0),
    unit(&["km", "kilometers"], "m", 1_000.0),
    unit(&["cm", "centimeters"], "m", 0.01),
    unit(&["[mi_i]", "mi", "miles"], "m", 1_609.344),
    unit(&["[ft_i]", "ft", "feet"], "m", 0.304_8),
    unit(&["[in_i]", "in", "inches"], "m", 0.025_4),
    unit(&["kg"], "kg", 1.0),
    unit(&["g"], "kg", 0.001),
    unit(&["[lb_av]", "lb", "lbs"], "kg", 0.453_592_37),
    unit(&["Cel", "degC", "C"], "Cel", 1.0),
    Conversion {
        spellings: &["[degF]", "degF", "F"],
        base: "Cel",
        factor: 5.0 / 9.0,
        offset: -160.0 / 9.0,
    },
    unit(&["%", "percent"], "%", 1.0),
    unit(&["1", "{fraction}", "fraction"], "%", 100.0),
    unit(&["mg/dL", "mg/dl"], "mg/dL", 1.0),
    unit(&["mmol/L", "mmol/l"], "mg/dL", 18.015_6),
    unit(&["mm[Hg]", "mmHg"], "mm[Hg]", 1.0),
    unit(&["kPa"], "mm[Hg]", 7.500_617),
    unit(&["kcal", "[Cal]", "Cal"], "kcal", 1.0),
    unit(&["kJ"], "kcal", 1.0 / 4.184),
    unit(&["mL", "ml"], "mL", 1.0),
    unit(&["L", "l"], "mL", 1_000.0),
    unit(
        &["mL/min/kg", "mL/kg/min", "mL/(kg.min)", "ml/kg/min"],
        "mL/min/kg",
        1.0,
    ),
    unit(
        &["{steps}", "steps", "{count}", "count", "{step}"],
        "{steps}",
        1.0,
    ),
    unit(
        &["{flights}", "flights", "{floors}", "floors"],
        "{flights}",
        1.0,
    ),
    unit(&["{score}", "score", "points"], "{score}", 1.0),
];

/// Finds a unit by its exact spelling, or else ignoring case: `MG/DL`.
fn conversion(unit: &str) -> Option<&'static Conversion> {
    let find = |matches: &dyn Fn(&str) -> bool| {
        let mut all = CONVERSIONS.iter();
        all.find(|conversion| {
            conversion
                .spellings
                .iter()
                .any(|spelling| matches(spelling))
        })
    };
    find(&|spelling| spelling == unit).or_else(|| {
        find(&|spelling| spelling.eq_ignore_ascii_case(unit))
            .filter(|_| unit.len() > 1 && !CASE_SENSITIVE.contains(&unit))
    })
}

/// Spellings whose case matters, besides single letters: 1,000 small calories ("cal")
/// are one "Cal".
const CASE_SENSITIVE: &[&str] = &["cal"];

/// Converts `value` from one unit to another; `None` if no conversion is known.
pub fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return Some(value);
    }
    let (from, to) = (conversion(from)?, conversion(to)?);
    (from.base == to.base).then(|| (value * from.factor + from.offset - to.offset) / to.factor)
}

/// Returns `true` if `unit` can be converted.
pub fn is_convertible(unit: &str) -> bool {
    conversion(unit).is_some()
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
        assert!(is_convertible("BPM") && is_convertible("KCAL") && is_convertible("Percent"));
        assert!(!is_convertible("cal") && !is_convertible("S") && !is_convertible("M"));
    }

    #[test]
    fn every_spelling_belongs_to_one_unit() {
        let mut spellings: Vec<&str> = CONVERSIONS
            .iter()
            .flat_map(|conversion| conversion.spellings.iter().copied())
            .collect();
        let all = spellings.len();
        spellings.sort_unstable();
        spellings.dedup();
        assert_eq!(spellings.len(), all);
    }
}
