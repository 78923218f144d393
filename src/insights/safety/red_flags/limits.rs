//! Limits of readings that indicate an emergency.

use std::ops::RangeInclusive;

use jiff::SignedDuration;

use super::red_flag::{FlaggedReading, RedFlag, RedFlagKind};
use crate::domain::Unit;
use crate::domain::vocabulary::{self, Label, Metric, convert, unit_label};
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
    /// Units in which devices report the data type, the vocabulary's first.
    units: &'static [PlausibleUnit],
    /// True if small values named in the vocabulary's unit are fractions of one.
    has_fractions: bool,
}

/// Unit in which a value may be, if its reading does not say.
struct PlausibleUnit {
    unit: &'static str,
    /// Values that devices report in it.
    range: RangeInclusive<f64>,
}

const fn plausible(unit: &'static str, range: RangeInclusive<f64>) -> PlausibleUnit {
    PlausibleUnit { unit, range }
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
/// of Care in Diabetes", section 6). Meters report 20 to 600 mg/dL, which is 1.1 to
/// 33.3 mmol/L; lower molar values are kept, since in mg/dL they are impossible.
pub const GLUCOSE: Limit = Limit {
    kind: RedFlagKind::SevereHypoglycaemia,
    metric: "blood_glucose",
    bound: Bound::Below(VERY_LOW_MG_PER_DL),
    units: &[
        plausible("mg/dL", 20.0..=600.0),
        plausible("mmol/L", 0.5..=33.3),
    ],
    has_fractions: false,
};

/// Oxygen: below the target range of 88 to 92 % that the British Thoracic
/// Society's guideline for oxygen use sets even for chronic lung disease. Apple's
/// `HealthKit` writes 98 % as 0.98 with the unit "%"; 1 % is not survivable.
pub const OXYGEN: Limit = Limit {
    kind: RedFlagKind::LowOxygen,
    metric: "blood_oxygen",
    bound: Bound::Below(88.0),
    units: &[plausible("%", 50.0..=100.0), plausible("1", 0.01..=1.0)],
    has_fractions: true,
};

/// Blood pressure: hypertensive crisis (American Heart Association).
pub const SYSTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_systolic",
    bound: Bound::From(180.0),
    units: &[
        plausible("mm[Hg]", 40.0..=300.0),
        plausible("kPa", 5.3..=40.0),
        plausible("cm[Hg]", 4.0..=30.0),
    ],
    has_fractions: false,
};

/// Diastolic blood pressure, see [`SYSTOLIC`].
pub const DIASTOLIC: Limit = Limit {
    kind: RedFlagKind::VeryHighBloodPressure,
    metric: "blood_pressure_diastolic",
    bound: Bound::From(120.0),
    units: &[
        plausible("mm[Hg]", 20.0..=200.0),
        plausible("kPa", 2.7..=26.7),
        plausible("cm[Hg]", 2.0..=20.0),
    ],
    has_fractions: false,
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

    /// Judges an observation of the limit's data type; `None` if its value is
    /// meaningless.
    ///
    /// A value with a known unit counts, unless it is harmless and impossible in that
    /// unit, as 70 is as a ratio. Otherwise the unit may be any in which devices report
    /// such a value: it is dangerous if it is so in each of them, so that no alarm
    /// depends on a guess and no missing or misspelled unit prevents one.
    fn judge(&self, metric: &Metric, observation: &Observation) -> Option<Judgement> {
        let value = observation.value.get();
        let named = observation.unit.as_ref().map(Unit::as_str);
        if let Some(unit) = named.and_then(unit_label) {
            let is_fraction =
                self.has_fractions && (0.0..=1.0).contains(&value) && unit.as_str() == metric.unit;
            let unit = if is_fraction { Label::new("1") } else { unit };
            if let Some(converted) = convert(value, unit.as_str(), &metric.unit) {
                if converted <= 0.0 {
                    return None;
                }
                if self.is_crossed_by(converted) {
                    return Some(Judgement::Dangerous(Some(unit)));
                }
                if metric.is_plausible(converted, &metric.unit) {
                    return Some(Judgement::Harmless);
                }
            }
        }
        let units: Vec<&PlausibleUnit> = self
            .units
            .iter()
            .filter(|unit| unit.range.contains(&value))
            .collect();
        let is_crossed_in = |unit: &&PlausibleUnit| {
            convert(value, unit.unit, &metric.unit).is_some_and(|value| self.is_crossed_by(value))
        };
        let crossed = units.iter().filter(|unit| is_crossed_in(unit)).count();
        match (crossed, units.as_slice()) {
            (_, []) => None,
            (0, _) => Some(Judgement::Harmless),
            (1, [unit]) => Some(Judgement::Dangerous(Some(Label::new(unit.unit)))),
            (crossed, units) if crossed == units.len() => Some(Judgement::Dangerous(None)),
            _ => Some(Judgement::Unclear),
        }
    }
}

/// Judgement of a reading.
enum Judgement {
    /// Beyond the limit, in this unit or in every unit that it may have.
    Dangerous(Option<Label>),
    /// Within the limit.
    Harmless,
    /// Beyond the limit in one unit that it may have, within it in another.
    Unclear,
}

/// Maximum age of a current reading, relative to the newest reading up to now.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Returns the judged observations of the limit's data type, newest first, without
/// those more than a day older than the newest of all.
fn judged<'a>(
    limit: &'static Limit,
    observations: &'a [Observation],
) -> impl Iterator<Item = (Judgement, &'static Metric, &'a Observation)> {
    let newest = observations.first().map(|observation| observation.at);
    observations
        .iter()
        .take_while(move |observation| {
            newest.is_some_and(|newest| newest.duration_since(observation.at) <= MAX_AGE)
        })
        .filter_map(move |observation| {
            let metric = vocabulary::find(observation.data_type.as_str())
                .filter(|metric| metric.name == limit.metric)?;
            Some((limit.judge(metric, observation)?, metric, observation))
        })
}

/// Checks the newest reading of each data type, unless readings of other types
/// are more than a day newer. Of readings whose unit is unclear the next one counts.
///
/// Readings up to now and those dated ahead of it are to be checked apart: neither may
/// hide the other.
pub fn detect_in_readings(observations: &[Observation]) -> Option<RedFlag> {
    LIMITS.into_iter().find_map(|limit| {
        let newest = judged(limit, observations)
            .find(|(judgement, ..)| !matches!(judgement, Judgement::Unclear))?;
        let (Judgement::Dangerous(unit), metric, observation) = newest else {
            return None;
        };
        Some(RedFlag {
            kind: limit.kind,
            reading: Some(FlaggedReading {
                id: observation.id,
                metric,
                value: observation.value.get(),
                unit,
                at: observation.at,
                date: observation.date(),
            }),
        })
    })
}

/// Returns the data types whose newest reading may be beyond its limit, depending on
/// its unit, which is not known.
pub fn unjudged(observations: &[Observation]) -> impl Iterator<Item = &'static Metric> {
    LIMITS.into_iter().filter_map(|limit| {
        let (judgement, metric, _) = judged(limit, observations).next()?;
        matches!(judgement, Judgement::Unclear).then_some(metric)
    })
}
