use std::borrow::Cow;

use crate::domain::vocabulary::{self, Metric};
use crate::domain::{ReadingValue, Unit, ValidationError};
use crate::import::rounding::rounded;

/// Number with its unit.
pub struct Quantity {
    /// The number.
    pub value: ReadingValue,
    /// Its unit in UCUM.
    pub unit: Cow<'static, str>,
}

impl Quantity {
    /// Parses a `value` in `HealthKit`'s `unit` and converts it to the unit of its
    /// metric, if there is one and the units are compatible.
    ///
    /// # Errors
    /// The value is not a number that a reading can have.
    pub fn parse(
        value: &str,
        unit: &str,
        metric: Option<&'static Metric>,
    ) -> Result<Self, ValidationError> {
        let value: ReadingValue = value.parse()?;
        let (in_ucum, unit) = to_ucum(value.get(), unit);
        let (converted, unit) = match metric {
            Some(metric) => match vocabulary::convert(in_ucum, &unit, &metric.unit) {
                Some(converted) => (converted, Cow::Borrowed(metric.unit.as_str())),
                // HealthKit uses "count" for dimensionless values, too.
                None if unit == COUNT && COUNTED.contains(&&*metric.unit) => {
                    (in_ucum, Cow::Borrowed(metric.unit.as_str()))
                }
                None => (in_ucum, unit),
            },
            None => (in_ucum, unit),
        };
        let is_as_written = converted.to_bits() == value.get().to_bits();
        Ok(Self {
            value: if is_as_written {
                value
            } else {
                ReadingValue::try_from(rounded(converted))?
            },
            unit,
        })
    }

    /// Returns the unit, if a reading can have it.
    pub fn unit(&self) -> Option<Unit> {
        self.unit.parse().ok()
    }
}

const COUNT: &str = "{count}";

/// Units of the vocabulary that `HealthKit` exports as counts.
const COUNTED: &[&str] = &["{steps}", "{flights}", "{score}", "kg/m2"];

/// Units of `HealthKit`
/// (<https://developer.apple.com/documentation/healthkit/hkunit/init(from:)>),
/// with the UCUM unit and the conversion factor.
///
/// Factors are exact: NIST SP 811, appendix B; those of kitchen measures from
/// NIST Handbook 44, appendix C, and the British Units of Measurement
/// Regulations 1995.
const UNITS: &[(&str, &str, f64)] = &[
    ("%", "%", 100.0),
    ("count", COUNT, 1.0),
    ("count/min", "/min", 1.0),
    ("count/s", "/min", 60.0),
    ("hr", "h", 1.0),
    ("Cal", "kcal", 1.0),
    ("cal", "kcal", 0.001),
    ("J", "kJ", 0.001),
    ("degC", "Cel", 1.0),
    ("degF", "[degF]", 1.0),
    ("mmHg", "mm[Hg]", 1.0),
    ("inHg", "mm[Hg]", 25.4),
    ("in", "[in_i]", 1.0),
    ("ft", "[ft_i]", 1.0),
    ("yd", "m", 0.914_4),
    ("mi", "[mi_i]", 1.0),
    ("lb", "[lb_av]", 1.0),
    ("oz", "g", 28.349_523_125),
    ("st", "kg", 6.350_293_18),
    ("mcg", "ug", 1.0),
    ("IU", "[iU]", 1.0),
    ("fl_oz_us", "mL", 29.573_529_562_5),
    ("fl_oz_imp", "mL", 28.413_062_5),
    ("cup_us", "mL", 236.588_236_5),
    ("cup_imp", "mL", 284.130_625),
    ("pt_us", "mL", 473.176_473),
    ("pt_imp", "mL", 568.261_25),
    ("km/hr", "km/h", 1.0),
    ("mi/hr", "[mi_i]/h", 1.0),
    ("ft/s", "[ft_i]/s", 1.0),
    ("mL/min·kg", "mL/min/kg", 1.0),
    ("ml/kg*min", "mL/min/kg", 1.0),
    ("kcal/hr·kg", "kcal/h/kg", 1.0),
    ("dBASPL", "dB[SPL]", 1.0),
    ("mcS", "uS", 1.0),
    ("appleEffortScore", "{score}", 1.0),
];

/// Converts a value with a unit of `HealthKit` to UCUM.
fn to_ucum(value: f64, unit: &str) -> (f64, Cow<'static, str>) {
    let known = UNITS.iter().find(|(healthkit, _, _)| *healthkit == unit);
    if let Some((_, ucum, factor)) = known {
        return (value * factor, Cow::Borrowed(ucum));
    }
    // Moles include the molar mass: `mmol<180.1558800000541>/L`.
    let plain = match (unit.split_once('<'), unit.split_once('>')) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => unit.to_owned(),
    };
    (value, Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(value: &str, unit: &str, name: &str) -> (f64, String) {
        let quantity = Quantity::parse(value, unit, vocabulary::find(name)).unwrap();
        (quantity.value.get(), quantity.unit.into_owned())
    }

    #[test]
    fn values_are_converted_to_vocabulary_units() {
        for (value, unit, name, expected, ucum) in [
            ("0.97", "%", "blood_oxygen", 97.0, "%"),
            ("0.57", "%", "body_fat", 57.0, "%"),
            ("72", "count/min", "heart_rate", 72.0, "/min"),
            ("1.2", "count/s", "heart_rate", 72.0, "/min"),
            ("329", "count", "steps", 329.0, "{steps}"),
            ("3", "count", "flights_climbed", 3.0, "{flights}"),
            ("22.5", "count", "bmi", 22.5, "kg/m2"),
            ("0.00288", "km", "distance", 2.88, "m"),
            ("1", "mi", "distance", 1_609.344, "m"),
            ("100", "yd", "distance", 91.44, "m"),
            (
                "5.5",
                "mmol<180.1558800000541>/L",
                "blood_glucose",
                99.0858,
                "mg/dL",
            ),
            ("99", "mg/dL", "blood_glucose", 99.0, "mg/dL"),
            ("120", "mmHg", "blood_pressure_systolic", 120.0, "mm[Hg]"),
            ("98.6", "degF", "body_temperature", 37.0, "Cel"),
            ("36.6", "degC", "body_temperature", 36.6, "Cel"),
            ("150", "lb", "weight", 68.038_855_5, "kg"),
            ("11", "st", "weight", 69.853_224_98, "kg"),
            ("70000", "g", "weight", 70.0, "kg"),
            ("6", "ft", "height", 182.88, "cm"),
            ("1.8", "m", "height", 180.0, "cm"),
            ("70", "in", "height", 177.8, "cm"),
            ("12.5", "Cal", "active_energy", 12.5, "kcal"),
            ("1500", "cal", "active_energy", 1.5, "kcal"),
            ("41.84", "kJ", "active_energy", 10.0, "kcal"),
            ("8", "fl_oz_us", "hydration", 236.588_236_5, "mL"),
            ("0.5", "L", "hydration", 500.0, "mL"),
            ("42.5", "mL/min·kg", "vo2_max", 42.5, "mL/min/kg"),
            ("48.5", "ms", "hrv_sdnn", 48.5, "ms"),
            ("0.5", "hr", "exercise_time", 30.0, "min"),
        ] {
            let found = parsed(value, unit, name);
            assert_eq!(found, (expected, ucum.to_owned()), "{value} {unit}");
        }
    }

    #[test]
    fn incompatible_units_are_preserved() {
        let found = parsed("3", "kg", "heart_rate");
        assert_eq!(found, (3.0, "kg".to_owned()));
        let found = parsed("70", "count", "heart_rate");
        assert_eq!(found, (70.0, "{count}".to_owned()));
        let found = parsed("1.4", "m/s", "walking_speed");
        assert_eq!(found, (1.4, "m/s".to_owned()));
        let found = parsed("0.02", "%", "walking_asymmetry_percentage");
        assert_eq!(found, (2.0, "%".to_owned()));
        let odd = Quantity::parse("1", "Ω m", None).unwrap();
        assert!(odd.unit().is_none());
    }

    #[test]
    fn invalid_numbers_are_rejected() {
        for bad in [
            "",
            "HKCategoryValueNotApplicable",
            "NaN",
            "1,5",
            "1e400",
            " 1",
        ] {
            assert!(Quantity::parse(bad, "count", None).is_err(), "{bad}");
        }
        assert!(Quantity::parse("9e125", "%", None).is_err());
    }
}
