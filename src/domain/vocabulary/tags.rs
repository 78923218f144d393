use super::{Label, fold};

/// Sources of readings by their name in answers, each with further spellings, folded.
const SOURCES: &[(&str, &[&str])] = &[
    ("watch", &["smartwatch"]),
    ("phone", &["smartphone"]),
    ("ring", &["smartring"]),
    ("band", &["fitnessband", "tracker", "fitnesstracker"]),
    ("chest strap", &[]),
    ("scale", &["smartscale"]),
    ("glucose meter", &["glucometer"]),
    ("continuous glucose monitor", &["cgm"]),
    ("blood pressure monitor", &["bpmonitor"]),
    ("pulse oximeter", &["oximeter"]),
    ("thermometer", &[]),
    ("manual entry", &["manual", "user", "userentered"]),
    ("Apple Health", &["healthkit"]),
    ("Apple Watch", &[]),
    ("iPhone", &[]),
    ("Health Connect", &["googlehealthconnect"]),
    ("Google Fit", &[]),
    ("Pixel Watch", &[]),
    ("Samsung Health", &[]),
    ("Galaxy Watch", &[]),
    ("Fitbit", &[]),
    ("Garmin", &["garminconnect"]),
    ("Oura", &["ouraring"]),
    ("Withings", &[]),
    ("Polar", &[]),
    ("WHOOP", &[]),
    ("Dexcom", &[]),
    ("FreeStyle Libre", &["libre", "librelink"]),
    ("Omron", &[]),
];

/// Time spans of a measurement by their name in answers, each with further spellings.
const GRANULARITIES: &[(&str, &[&str])] = &[
    ("second", &["seconds", "1"]),
    ("minute", &["minutes", "min", "1min", "60"]),
    ("5 minutes", &["5min", "300"]),
    ("15 minutes", &["15min", "900"]),
    ("hour", &["hours", "hourly", "1h", "3600"]),
    ("day", &["days", "daily", "1d", "86400"]),
    ("week", &["weeks", "weekly", "604800"]),
    ("month", &["months", "monthly"]),
];

/// Returns the name of a source of readings, if it is known.
pub fn source_label(source: &str) -> Option<Label> {
    find(SOURCES, source)
}

/// Returns the name of a time span of a measurement, if it is known.
pub fn granularity_label(granularity: &str) -> Option<Label> {
    find(GRANULARITIES, granularity)
}

fn find(table: &[(&'static str, &[&str])], text: &str) -> Option<Label> {
    let text = fold(text);
    let row = table
        .iter()
        .find(|(name, others)| fold(name) == text || others.contains(&text.as_str()));
    row.map(|(name, _)| Label::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_tags_have_a_name() {
        let source = |text| source_label(text).map(|label| label.to_string());
        assert_eq!(source("apple_watch").as_deref(), Some("Apple Watch"));
        assert_eq!(source("HealthKit").as_deref(), Some("Apple Health"));
        assert_eq!(source("You have cancer. Call +1-900-555-0100"), None);
        assert_eq!(source(""), None);
        let granularity = |text| granularity_label(text).map(|label| label.to_string());
        assert_eq!(granularity("3600").as_deref(), Some("hour"));
        assert_eq!(granularity("Daily").as_deref(), Some("day"));
        assert_eq!(granularity("forever"), None);
    }
}
