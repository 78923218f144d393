use std::collections::HashMap;

use super::observation::Observation;
use crate::domain::vocabulary::{convert, find, same_unit};
use crate::domain::{ReadingValue, Unit};

/// Converts the observations of each data type to the unit of the newest one,
/// where possible, so that they form one series. `observations` are ordered
/// newest first.
pub fn unify_units(observations: &mut [Observation]) {
    let mut units: HashMap<String, Option<Unit>> = HashMap::new();
    for observation in observations {
        let Some(metric) = find(observation.data_type.as_str()) else {
            continue;
        };
        if metric.is_delta() {
            continue;
        }
        let data_type = observation.data_type.as_str();
        let Some(newest) = units.get(data_type) else {
            units.insert(data_type.to_owned(), observation.unit.clone());
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
