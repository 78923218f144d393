//! What Clarity's fields are called in the vocabulary, and in which units they
//! are.

use std::borrow::Cow;

use crate::domain::vocabulary::{self, convert};
use crate::import::rounding::rounded;

/// A field of a block that is a reading.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The data type that it is.
    pub data_type: &'static str,
    /// In which unit it is, in UCUM.
    unit: &'static str,
    /// From what to what its values go, where the type leaves that open.
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
    // Apple's, which is where Clarity took it from.
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

/// `sleep_data`, but its stages.
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
    /// A value of it in the unit of the vocabulary, and that unit.
    pub fn in_vocabulary(&self, value: f64) -> (f64, &'static str) {
        let wanted = vocabulary::find(self.data_type).map(|metric| metric.unit.as_str());
        match wanted.filter(|unit| *unit != self.unit) {
            Some(unit) => match convert(value, self.unit, unit) {
                Some(converted) => (rounded(converted), unit),
                None => (value, self.unit),
            },
            None => (value, self.unit),
        }
    }

    /// The field that Clarity has under this name in any block.
    pub fn named(name: &str) -> Option<&'static Self> {
        [BIOMETRIC, ACTIVITY, SLEEP, MENTAL]
            .into_iter()
            .flatten()
            .find(|field| field.name == name)
    }

    /// The field of a data type in a unit that is not the vocabulary's.
    pub fn of_type(data_type: &str) -> Option<&'static Self> {
        [BIOMETRIC, ACTIVITY, SLEEP, MENTAL]
            .into_iter()
            .flatten()
            .find(|field| field.data_type == data_type)
    }
}

/// The name of a stage of sleep without what says that it is in minutes.
pub fn stage(name: &str) -> Cow<'_, str> {
    let name = name.to_ascii_lowercase();
    let stage = name.strip_suffix("_minutes").unwrap_or(&name);
    Cow::Owned(stage.to_owned())
}
