use crate::domain::DataType;
use crate::domain::vocabulary::{self, Metric};
use crate::import::record::Rejection;

/// Kind of a `Record`.
pub enum RecordKind {
    /// A quantity of this data type, with its metric in the vocabulary.
    Quantity(DataType, Option<&'static Metric>),
    /// An interval of sleep analysis.
    Sleep,
}

/// Prefixes of quantity types. The last is that of goals, such as
/// `HKDataTypeSleepDurationGoal`.
const QUANTITY_PREFIXES: &[&str] = &["HKQuantityTypeIdentifier", "HKDataType"];

impl RecordKind {
    /// Returns the kind of a record with this `type`.
    ///
    /// # Errors
    /// The type is neither a quantity nor sleep analysis.
    pub fn from_identifier(identifier: &str) -> Result<Self, Rejection> {
        if identifier == "HKCategoryTypeIdentifierSleepAnalysis" {
            return Ok(Self::Sleep);
        }
        let name = QUANTITY_PREFIXES
            .iter()
            .find_map(|prefix| identifier.strip_prefix(prefix))
            .ok_or_else(|| unknown(identifier))?;
        let own = snake_case(name);
        let metric = vocabulary::find(identifier).or_else(|| vocabulary::find(&own));
        let data_type = metric.map_or(own.as_str(), |metric| &metric.name);
        match data_type.parse() {
            Ok(data_type) => Ok(Self::Quantity(data_type, metric)),
            Err(_) => Err(unknown(identifier)),
        }
    }
}

/// Rejects a type. The message quotes it only if it looks like a `HealthKit`
/// identifier, so that no other text reaches the report.
fn unknown(identifier: &str) -> Rejection {
    const MAX_LEN: usize = 100;
    let is_identifier = identifier.starts_with("HK")
        && identifier.len() <= MAX_LEN
        && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_identifier {
        Rejection::new("type", format!("is not in the vocabulary: {identifier}"))
    } else {
        Rejection::new("type", "is not a HealthKit identifier")
    }
}

/// Converts `DietaryVitaminB12` to `dietary_vitamin_b12`, and `UVExposure` to
/// `uv_exposure`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    let mut before = None;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let starts_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before: char| {
                !before.is_ascii_uppercase() || letters.peek().is_some_and(char::is_ascii_lowercase)
            });
        if starts_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        before = Some(letter);
    }
    snake
}

/// Returns the data types to whose durations an interval of sleep analysis adds.
///
/// Before iOS 16 one value covered all sleep; since then it means sleep in an
/// unspecified stage. The total is the sum of all stages, so an interval in a
/// stage adds to both.
///
/// # Errors
/// The value is not one of `HealthKit`'s
/// (<https://developer.apple.com/documentation/healthkit/hkcategoryvaluesleepanalysis>).
pub fn sleep_data_types(value: &str) -> Result<&'static [&'static str], Rejection> {
    let state = value.strip_prefix("HKCategoryValueSleepAnalysis");
    match state {
        Some("InBed") => Ok(&["time_in_bed"]),
        Some("Asleep" | "AsleepUnspecified") => Ok(&["sleep_duration"]),
        Some("AsleepCore") => Ok(&["sleep_light", "sleep_duration"]),
        Some("AsleepDeep") => Ok(&["sleep_deep", "sleep_duration"]),
        Some("AsleepREM") => Ok(&["sleep_rem", "sleep_duration"]),
        Some("Awake") => Ok(&["sleep_awake"]),
        _ => Err(Rejection::new("value", "is not a sleep analysis value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_type(identifier: &str) -> Result<(String, bool), String> {
        match RecordKind::from_identifier(identifier) {
            Ok(RecordKind::Quantity(data_type, metric)) => {
                Ok((data_type.as_str().to_owned(), metric.is_some()))
            }
            Ok(RecordKind::Sleep) => Ok(("sleep".to_owned(), true)),
            Err(rejection) => Err(rejection.to_string()),
        }
    }

    #[test]
    fn every_vocabulary_quantity_is_recognized() {
        for metric in vocabulary::metrics() {
            let Some(name) = metric.healthkit.as_deref() else {
                continue;
            };
            // State of mind is an element of its own, not a quantity.
            if name.starts_with("SleepAnalysis") || name == "StateOfMind.valence" {
                continue;
            }
            let found = data_type(&format!("HKQuantityTypeIdentifier{name}"));
            assert_eq!(found, Ok((metric.name.clone(), true)));
        }
        let sleep = data_type("HKCategoryTypeIdentifierSleepAnalysis");
        assert_eq!(sleep, Ok(("sleep".to_owned(), true)));
    }

    #[test]
    fn unknown_quantities_get_snake_case_names() {
        for (identifier, name) in [
            ("HKQuantityTypeIdentifierDietaryProtein", "dietary_protein"),
            (
                "HKQuantityTypeIdentifierDietaryVitaminB12",
                "dietary_vitamin_b12",
            ),
            ("HKQuantityTypeIdentifierUVExposure", "uv_exposure"),
            (
                "HKQuantityTypeIdentifierPeakExpiratoryFlowRate",
                "peak_expiratory_flow_rate",
            ),
            ("HKDataTypeSleepDurationGoal", "sleep_duration_goal"),
        ] {
            assert_eq!(data_type(identifier), Ok((name.to_owned(), false)));
        }
        // An alias in the vocabulary.
        let found = data_type("HKQuantityTypeIdentifierHeartRateVariabilityRMSSD");
        assert_eq!(found, Ok(("hrv_rmssd".to_owned(), true)));
    }

    #[test]
    fn rejected_types_are_quoted_only_if_they_are_identifiers() {
        let mindful = data_type("HKCategoryTypeIdentifierMindfulSession").unwrap_err();
        assert!(mindful.ends_with("HKCategoryTypeIdentifierMindfulSession"));
        for stray in [
            "",
            "Jane",
            "HK Jane",
            "HKQuantityTypeIdentifier",
            "HKQuantityTypeIdentifierÄ",
        ] {
            assert!(!data_type(stray).unwrap_err().contains("Jane"));
        }
        let long = format!("HKQuantityTypeIdentifier{}", "A".repeat(80));
        assert!(data_type(&long).is_err());
    }

    #[test]
    fn every_sleep_data_type_has_the_unit_minutes() {
        for state in [
            "InBed",
            "Asleep",
            "AsleepUnspecified",
            "AsleepCore",
            "AsleepDeep",
            "AsleepREM",
            "Awake",
        ] {
            for data_type in
                sleep_data_types(&format!("HKCategoryValueSleepAnalysis{state}")).unwrap()
            {
                assert_eq!(vocabulary::find(data_type).unwrap().unit, "min");
            }
        }
        assert!(sleep_data_types("HKCategoryValueSleepAnalysisDreaming").is_err());
        assert!(sleep_data_types("1").is_err());
    }
}
