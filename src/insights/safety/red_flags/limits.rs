//! Limits of readings that indicate an emergency.

use jiff::SignedDuration;

use super::red_flag::{RedFlag, RedFlagKind};
use crate::domain::vocabulary::{self, Metric, convert};
use crate::insights::facts::Observation;
use crate::statistics::VERY_LOW_MG_PER_DL;

/// Limit of a measured value beyond which it is a red flag.
pub struct Limit {
    /// Kind of emergency.
    pub kind: RedFlagKind,
    /// Data type of the value.
    metric: &'static str,
    /// The limit, in the vocabulary's unit.
    bound: Bound,
    /// Other unit that small values are in.
    alternative: Option<AlternativeUnit>,
}

/// Unit that is recognized by values too small for the vocabulary's unit.
struct AlternativeUnit {
    /// Exclusive lower bound of the values.
    above: f64,
    /// Inclusive upper bound of the values.
    up_to: f64,
    unit: &'static str,
    /// True if it applies even if the reading names the vocabulary's unit.
    overrides_named: bool,
}

/// Comparison with a limit.
#[derive(Clone, Copy)]
enum Bound {
    /// Less than this.
    Below(f64),
    /// This or more.
    From(f64),
}

/// Glucose: level 2 hypoglycaemia (American Diabetes Association, "Standards
/// of Care in Diabetes", section 6). A value without a unit that is implausibly low in
/// mg/dL is in mmol/L, the unit in most of the world.
pub const GLUCOSE: Limit = Limit {
    kind: RedFlagKind::SevereHypoglycaemia,
    metric: "blood_glucose",
    bound: Bound::Below(VERY_LOW_MG_PER_DL),
    alternative: Some(AlternativeUnit {
        above: 0.5,
        up_to: 9.99,
        unit: "mmol/L",
        overrides_named: false,
    }),
};

/// Oxygen: below the target range of 88 to 92 % that the British Thoracic
/// Society's guideline for oxygen use sets even for chronic lung disease. Apple's
/// `HealthKit` writes 98 % as 0.98 with the unit "%"; 1 % is not survivable.
pub const OXYGEN: Limit = Limit {
    kind: RedFlagKind::LowOxygen,
    metric: "blood_oxygen",
    bound: Bound::Below(88.0),
    alternative: Some(AlternativeUnit {
        above: 0.0,
        up_to: 1.0,
        unit: "1",
        overrides_named: true,
    }),
};

/// Blood pressure: hypertensive crisis (American Heart Association).
pub const SYSTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_systolic",
    bound: Bound::From(180.0),
    alternative: None,
};

/// Diastolic blood pressure, see [`SYSTOLIC`].
pub const DIASTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_diastolic",
    bound: Bound::From(120.0),
    alternative: None,
};

/// All limits.
const LIMITS: [&Limit; 4] = [&GLUCOSE, &OXYGEN, &SYSTOLIC, &DIASTOLIC];

impl Limit {
    /// Returns true if `value`, in the vocabulary's unit, is beyond the limit.
    pub fn is_crossed_by(&self, value: f64) -> bool {
        match self.bound {
            Bound::Below(bound) => value < bound,
            Bound::From(bound) => value >= bound,
        }
    }

    /// Returns the value of an observation in the vocabulary's unit, or `None` if
    /// it is meaningless: implausible without a unit, or not positive. A value
    /// with a unit counts even if it is implausible.
    fn value_of(&self, metric: &Metric, observation: &Observation) -> Option<f64> {
        let value = observation.value.get();
        let named = observation.unit.as_ref().map(|unit| unit.as_str());
        let alternative = self
            .alternative
            .as_ref()
            .filter(|other| value > other.above && value <= other.up_to)
            .filter(|other| named.is_none() || other.overrides_named);
        let unit = match (alternative, named) {
            (Some(other), None) => other.unit,
            (Some(other), Some(named)) if vocabulary::same_unit(named, &metric.unit) => other.unit,
            (None, None) if !metric.is_plausible(value, &metric.unit) => return None,
            (_, named) => named.unwrap_or(&metric.unit),
        };
        convert(value, unit, &metric.unit).filter(|value| *value > 0.0)
    }
}

/// Maximum age of a current reading, relative to the newest reading of all.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Checks the newest reading of each data type, unless readings of other types
/// are more than a day newer.
pub fn detect_in_readings(observations: &[Observation]) -> Option<RedFlag> {
    let newest = observations.first()?.at;
    LIMITS.into_iter().find_map(|limit| {
        let (value, observation) = observations
            .iter()
            .take_while(|observation| newest.duration_since(observation.at) <= MAX_AGE)
            .find_map(|observation| {
                let metric = vocabulary::find(observation.data_type.as_str())?;
                let is_of_it = metric.name == limit.metric;
                let value = is_of_it.then(|| limit.value_of(metric, observation))??;
                Some((value, observation))
            })?;
        limit.is_crossed_by(value).then(|| RedFlag {
            kind: limit.kind,
            observation: Some(observation.clone()),
        })
    })
}
