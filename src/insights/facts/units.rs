use std::collections::HashMap;

use super::observation::Observation;
use crate::domain::vocabulary::{convert, find, same_unit, unit_label};
use crate::domain::{ReadingValue, Unit};

/// Returns true if a reading names no unit or a known one.
fn is_known(unit: Option<&Unit>) -> bool {
    unit.is_none_or(|unit| unit_label(unit.as_str()).is_some())
}

/// Converts the observations of each data type to the unit of the newest one,
/// where possible, so that they form one series. `observations` are ordered
/// newest first.
pub fn unify_units(observations: &mut [Observation]) {
    let mut units: HashMap<&str, Option<Unit>> = HashMap::new();
    for observation in observations {
        let Some(metric) = find(observation.data_type.as_str()) else {
            continue;
        };
        if metric.is_delta() {
            continue;
        }
        let Some(newest) = units.get(metric.name.as_str()) else {
            // A unit that is not known converts to none, so the next one decides.
            if is_known(observation.unit.as_ref()) {
                units.insert(&metric.name, observation.unit.clone());
            }
            continue;
        };
        let unit_or_default = |unit: &Option<Unit>| {
            unit.as_ref()
                .map_or(metric.unit.clone(), |unit| unit.as_str().to_owned())
        };
        let (from, to) = (unit_or_default(&observation.unit), unit_or_default(newest));
        if same_unit(&from, &to) {
            continue;
        }
        let converted = convert(observation.value.get(), &from, &to);
        if let Some(value) = converted.and_then(|value| ReadingValue::try_from(value).ok()) {
            observation.value = value;
            observation.unit.clone_from(newest);
        }
    }
}
