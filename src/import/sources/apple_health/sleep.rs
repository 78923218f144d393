use crate::import::record::Rejection;

/// The data types whose durations a stretch of sleep analysis adds to.
///
/// Before iOS 16 there was one value for all sleep, which has since then
/// become the one for sleep in an unknown stage. The total is the sum of all
/// stages, so a stretch in a stage adds to both.
///
/// # Errors
/// When it is none of the values that `HealthKit` has
/// (<https://developer.apple.com/documentation/healthkit/hkcategoryvaluesleepanalysis>).
pub fn data_types(value: &str) -> Result<&'static [&'static str], Rejection> {
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
    use crate::domain::vocabulary;

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
            for data_type in data_types(&format!("HKCategoryValueSleepAnalysis{state}")).unwrap() {
                assert_eq!(vocabulary::find(data_type).unwrap().unit, "min");
            }
        }
        assert!(data_types("HKCategoryValueSleepAnalysisDreaming").is_err());
        assert!(data_types("1").is_err());
    }
}
