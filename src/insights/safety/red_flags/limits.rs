use jiff::SignedDuration;

use super::red_flag::{RedFlag, RedFlagKind};
use crate::domain::vocabulary::{self, Metric, convert};
use crate::insights::facts::Observation;
use crate::statistics::VERY_LOW_MG_PER_DL;

/// A value that calls for help now.
pub struct Limit {
    /// What it is a sign of.
    pub kind: RedFlagKind,
    /// Of which data type.
    metric: &'static str,
    /// In the unit of the vocabulary.
    bound: Bound,
    /// Which values come in another unit where they name none.
    otherwise: Option<Otherwise>,
}

/// A unit that is known by values that are too small for the vocabulary's.
struct Otherwise {
    above: f64,
    up_to: f64,
    unit: &'static str,
    /// Whether it is meant even where the vocabulary's is named.
    though_named: bool,
}

#[derive(Clone, Copy)]
enum Bound {
    Below(f64),
    From(f64),
}

/// Glucose: level 2 hypoglycaemia (American Diabetes Association, "Standards
/// of Care in Diabetes", section 6). A value without a unit that is below any
/// plausible one in mg/dL is in mmol/L, as apps in most of the world have it.
pub const GLUCOSE: Limit = Limit {
    kind: RedFlagKind::SevereHypoglycaemia,
    metric: "blood_glucose",
    bound: Bound::Below(VERY_LOW_MG_PER_DL),
    otherwise: Some(Otherwise {
        above: 0.5,
        up_to: 9.99,
        unit: "mmol/L",
        though_named: false,
    }),
};

/// Oxygen: below the 88 to 92 % that the British Thoracic Society's guideline
/// for oxygen use aims for even in chronic lung disease. Apple's `HealthKit`
/// has 98 % as 0.98 and calls its unit "%", and nobody lives with 1 %.
pub const OXYGEN: Limit = Limit {
    kind: RedFlagKind::LowOxygen,
    metric: "blood_oxygen",
    bound: Bound::Below(88.0),
    otherwise: Some(Otherwise {
        above: 0.0,
        up_to: 1.0,
        unit: "1",
        though_named: true,
    }),
};

/// Blood pressure: hypertensive crisis (American Heart Association).
pub const SYSTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_systolic",
    bound: Bound::From(180.0),
    otherwise: None,
};

/// As [`SYSTOLIC`].
pub const DIASTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_diastolic",
    bound: Bound::From(120.0),
    otherwise: None,
};

const LIMITS: [&Limit; 4] = [&GLUCOSE, &OXYGEN, &SYSTOLIC, &DIASTOLIC];

impl Limit {
    /// Whether `value`, in the vocabulary's unit, calls for help.
    pub fn is_crossed_by(&self, value: f64) -> bool {
        match self.bound {
            Bound::Below(bound) => value < bound,
            Bound::From(bound) => value >= bound,
        }
    }

    /// The value of an observation in the vocabulary's unit, unless it tells
    /// nothing. Where it names its unit, there is no doubt of what it means,
    /// however far it is beyond plausible values; nobody has 0 or less.
    fn value_of(&self, metric: &Metric, observation: &Observation) -> Option<f64> {
        let value = observation.value.get();
        let named = observation.unit.as_ref().map(|unit| unit.as_str());
        let is_otherwise = self
            .otherwise
            .as_ref()
            .filter(|other| value > other.above && value <= other.up_to)
            .filter(|other| named.is_none() || other.though_named);
        let unit = match (is_otherwise, named) {
            (Some(other), None) => other.unit,
            (Some(other), Some(named)) if vocabulary::same_unit(named, &metric.unit) => other.unit,
            (None, None) if !metric.is_plausible(value, &metric.unit) => return None,
            (_, named) => named.unwrap_or(&metric.unit),
        };
        convert(value, unit, &metric.unit).filter(|value| *value > 0.0)
    }
}

/// How much older than the newest of all readings one may be to count as
/// latest.
const LATEST: SignedDuration = SignedDuration::from_hours(24);

/// Looks at the newest reading of each type, unless the user has readings of
/// other types that are more than a day newer.
pub fn in_readings(observations: &[Observation]) -> Option<RedFlag> {
    let newest = observations.first()?.at;
    LIMITS.into_iter().find_map(|limit| {
        let (value, observation) = observations
            .iter()
            .take_while(|observation| newest.duration_since(observation.at) <= LATEST)
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
