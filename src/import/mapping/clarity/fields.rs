//! Clarity's fields: data types and units.

use std::borrow::Cow;

use crate::domain::vocabulary::{self, convert};
use crate::import::rounding::rounded;

/// Field of a block that becomes a reading.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The data type of the reading.
    pub data_type: &'static str,
    /// Its unit in UCUM.
    unit: &'static str,
    /// The range of its values, if the data type does not define it.
    pub scale: Option<&'static str>,
}

const fn field(name: &'static str, data_type: &'static str, unit: &'static str) -> Field {
    Field {
        name,
        data_type,
        unit,
        scale: None,
    }
}

const fn score(name: &'static str, data_type: &'static str) -> Field {
    Field {
        name,
        data_type,
        unit: "{score}",
        scale: Some("1-10"),
    }
}

/// `biometric_data`.
pub const BIOMETRIC: &[Field] = &[
    field("heart_rate", "heart_rate", "/min"),
    field(
        "blood_pressure_systolic",
        "blood_pressure_systolic",
        "mm[Hg]",
    ),
    field(
        "blood_pressure_diastolic",
        "blood_pressure_diastolic",
        "mm[Hg]",
    ),
    field("oxygen_saturation", "blood_oxygen", "%"),
    // Clarity took it from Apple Health, which records SDNN.
    field("heart_rate_variability", "hrv_sdnn", "ms"),
    field("respiratory_rate", "respiratory_rate", "/min"),
    field("body_temperature", "body_temperature", "Cel"),
    field("blood_glucose", "blood_glucose", "mg/dL"),
];

/// `activity_data`.
pub const ACTIVITY: &[Field] = &[
    field("steps", "steps", "{steps}"),
    field("distance", "distance", "km"),
    field("active_energy", "active_energy", "kcal"),
    field("exercise_minutes", "exercise_time", "min"),
    field("flights_climbed", "flights_climbed", "{flights}"),
    field("vo2_max", "vo2_max", "mL/min/kg"),
    field("active_minutes", "exercise_time", "min"),
    field("resting_heart_rate", "resting_heart_rate", "/min"),
];

/// `sleep_data` without its stages.
pub const SLEEP: &[Field] = &[
    field("total_sleep_minutes", "sleep_duration", "min"),
    field("sleep_efficiency", "sleep_efficiency", "1"),
    field("time_to_sleep_minutes", "sleep_latency", "min"),
    field("wake_count", "sleep_wake_count", "{count}"),
];

/// `sleep_data.sleep_stages`.
pub const STAGES: &[Field] = &[
    field("deep", "sleep_deep", "min"),
    field("light", "sleep_light", "min"),
    field("core", "sleep_light", "min"),
    field("rem", "sleep_rem", "min"),
    field("awake", "sleep_awake", "min"),
];

/// `mental_health_data`.
pub const MENTAL: &[Field] = &[score("stress_level", "stress"), score("mood_score", "mood")];

impl Field {
    /// Converts a value to the unit of the vocabulary, and returns it with its unit.
    pub fn to_vocabulary(&self, value: f64) -> (f64, &'static str) {
        let unit = vocabulary::find(self.data_type).map(|metric| metric.unit.as_str());
        match unit.filter(|unit| *unit != self.unit) {
            Some(unit) => match convert(value, self.unit, unit) {
                Some(converted) => (rounded(converted), unit),
                None => (value, self.unit),
            },
            None => (value, self.unit),
        }
    }

    /// Returns the field with this name in any block.
    pub fn with_name(name: &str) -> Option<&'static Self> {
        [BIOMETRIC, ACTIVITY, SLEEP, MENTAL]
            .into_iter()
            .flatten()
            .find(|field| field.name == name)
    }

    /// Returns the field of this data type in any block.
    pub fn with_data_type(data_type: &str) -> Option<&'static Self> {
        [BIOMETRIC, ACTIVITY, SLEEP, MENTAL]
            .into_iter()
            .flatten()
            .find(|field| field.data_type == data_type)
    }
}

/// Returns the lowercase name of a sleep stage without its suffix `_minutes`.
pub fn stage(name: &str) -> Cow<'_, str> {
    let name = name.to_ascii_lowercase();
    let stage = name.strip_suffix("_minutes").unwrap_or(&name);
    Cow::Owned(stage.to_owned())
}
