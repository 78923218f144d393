use crate::domain::DataType;
use crate::domain::vocabulary::{self, Metric};
use crate::import::record::Rejection;

/// What a `Record` of a type is.
pub enum Kind {
    /// A number of this data type.
    Quantity(DataType, Option<&'static Metric>),
    /// A stretch of sleep analysis.
    Sleep,
}

/// What stands before the names of numbers. The last is that of goals, such as
/// `HKDataTypeSleepDurationGoal`.
const QUANTITIES: &[&str] = &["HKQuantityTypeIdentifier", "HKDataType"];

impl Kind {
    /// The kind of a record of this `type`.
    ///
    /// # Errors
    /// When no reading can be of it.
    pub fn of(identifier: &str) -> Result<Self, Rejection> {
        if identifier == "HKCategoryTypeIdentifierSleepAnalysis" {
            return Ok(Self::Sleep);
        }
        let name = QUANTITIES
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

/// Names the type if it looks like one of `HealthKit`'s, so that a text that
/// strayed there reaches no report.
fn unknown(identifier: &str) -> Rejection {
    const LONGEST: usize = 100;
    let is_identifier = identifier.starts_with("HK")
        && identifier.len() <= LONGEST
        && identifier.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_identifier {
        Rejection::because("type", format!("is not in the vocabulary: {identifier}"))
    } else {
        Rejection::because("type", "is not one of HealthKit's")
    }
}

/// `DietaryVitaminB12` as `dietary_vitamin_b12`, `UVExposure` as `uv_exposure`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    let mut before = None;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let begins_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before: char| {
                !before.is_ascii_uppercase() || letters.peek().is_some_and(char::is_ascii_lowercase)
            });
        if begins_word {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        before = Some(letter);
    }
    snake
}

/// The data types whose durations a stretch of sleep analysis adds to.
///
/// Before iOS 16 there was one value for all sleep, which has since then
/// become the one for sleep in an unknown stage. The total is the sum of all
/// stages, so a stretch in a stage adds to both.
///
/// # Errors
/// When it is none of the values that `HealthKit` has
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
        _ => Err(Rejection::because(
            "value",
            "is not one that sleep analysis has",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_type(identifier: &str) -> Result<(String, bool), String> {
        match Kind::of(identifier) {
            Ok(Kind::Quantity(data_type, metric)) => {
                Ok((data_type.as_str().to_owned(), metric.is_some()))
            }
            Ok(Kind::Sleep) => Ok(("sleep".to_owned(), true)),
            Err(rejection) => Err(rejection.to_string()),
        }
    }

    #[test]
    fn every_quantity_of_the_vocabulary_is_found() {
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
    fn other_quantities_keep_their_names() {
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
        // One that the vocabulary knows by an alias.
        let found = data_type("HKQuantityTypeIdentifierHeartRateVariabilityRMSSD");
        assert_eq!(found, Ok(("hrv_rmssd".to_owned(), true)));
    }

    #[test]
    fn what_is_no_quantity_is_named_if_it_can_be() {
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
    fn every_state_is_measured_in_minutes() {
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
