//! Known data types: units, names on other platforms, plausible values and daily
//! aggregation.
//!
//! A reading may have any data type. Unknown ones are stored and described like the
//! others, without a plausible range and without their name. What a sentence or a prompt
//! calls a data type, a unit or a source is a [`Label`], which this module maps to.

mod conversion;
mod label;
mod tags;

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use serde::Deserialize;

pub use conversion::{convert, same_unit, unit_label};
pub use label::Label;
pub use tags::{granularity_label, source_label};

/// A known data type.
#[derive(Debug, PartialEq)]
pub struct Metric {
    /// Name, as in `data_type`.
    pub name: String,
    /// Everyday name: `heart_rate` is "heart rate".
    spoken: String,
    /// Aliases.
    pub aliases: Vec<String>,
    /// Default unit of its values, in UCUM.
    pub unit: String,
    /// LOINC code (<https://loinc.org>).
    pub loinc: Option<String>,
    /// Identifier in Apple's HealthKit, without the prefix `HK…Identifier`.
    pub healthkit: Option<String>,
    /// Record type in Android's Health Connect.
    pub health_connect: Option<String>,
    /// Values outside, in [`Self::unit`], are impossible for a living person.
    pub plausible: Option<RangeInclusive<f64>>,
    /// Aggregation of a day to one number.
    pub daily: DailyAggregation,
}

/// Aggregation of a day's readings to one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DailyAggregation {
    /// Sum, for cumulative readings.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Median.
    Median,
    /// Newest reading.
    Last,
}

impl Metric {
    /// Returns `true` unless `value` is implausible. A value in a unit that does not
    /// convert to the metric's is accepted.
    pub fn is_plausible(&self, value: f64, unit: &str) -> bool {
        match (&self.plausible, convert(value, unit, &self.unit)) {
            (Some(range), Some(value)) => range.contains(&value),
            _ => true,
        }
    }

    /// Returns `true` for sleep, which happens once a day and is complete when it is
    /// recorded.
    pub fn is_sleep(&self) -> bool {
        self.name.starts_with("sleep_") || self.name == "time_in_bed"
    }

    /// Returns `true` if values are differences, which convert without the offset of
    /// their unit: 1 °C more is 1.8 °F more.
    pub fn is_delta(&self) -> bool {
        self.name.ends_with("_deviation")
    }

    /// Returns the everyday name.
    pub fn label(&'static self) -> Label {
        Label::new(&self.spoken)
    }

    /// Returns all names, [`Self::name`] first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// Returns all known data types.
pub fn metrics() -> &'static [Metric] {
    &VOCABULARY.metrics
}

/// Finds a data type by name, alias, or unambiguous name in `HealthKit` or Health
/// Connect, ignoring case and separators: `blood-glucose`, `bloodGlucose`.
pub fn find(name: &str) -> Option<&'static Metric> {
    let index = VOCABULARY
        .by_name
        .get(name)
        .or_else(|| VOCABULARY.by_name.get(&fold(name)))
        .or_else(|| {
            let name = fold(name);
            let name = HEALTHKIT_PREFIXES
                .iter()
                .find_map(|prefix| name.strip_prefix(prefix))
                .unwrap_or(&name);
            VOCABULARY.by_platform_name.get(name)
        })?;
    VOCABULARY.metrics.get(*index)
}

/// Returns `name` in lower case, without separators.
fn fold(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// Returns the everyday form of a name.
fn spoken(name: &str) -> String {
    let words = name.split('_').map(|word| match word {
        "hrv" | "rmssd" | "sdnn" | "bmi" => word.to_uppercase(),
        "vo2" => "VO2".to_owned(),
        word => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Prefixes of `HealthKit` identifiers, in lower case.
const HEALTHKIT_PREFIXES: &[&str] = &["hkquantitytypeidentifier", "hkcategorytypeidentifier"];

struct Vocabulary {
    metrics: Vec<Metric>,
    /// Names and aliases, as written and folded.
    by_name: HashMap<String, usize>,
    /// Names in `HealthKit` and Health Connect, folded.
    by_platform_name: HashMap<String, usize>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let rows = csv::Reader::from_reader(include_str!("vocabulary.csv").as_bytes())
        .into_deserialize::<Row>();
    // The file is embedded, and a test reads each of its rows.
    let metrics: Vec<Metric> = rows.flatten().map(Metric::from).collect();
    let by_name = metrics
        .iter()
        .enumerate()
        .flat_map(|(index, metric)| metric.names().map(move |name| (name, index)))
        .flat_map(|(name, index)| [(name.to_owned(), index), (fold(name), index)])
        .collect();
    let by_platform_name = platform_names(&metrics);
    Vocabulary {
        metrics,
        by_name,
        by_platform_name,
    }
});

/// Returns the platform names that belong to one metric only; `BloodPressureRecord`
/// belongs to two.
fn platform_names(metrics: &[Metric]) -> HashMap<String, usize> {
    let mut owners: HashMap<String, BTreeSet<usize>> = HashMap::new();
    for (index, metric) in metrics.iter().enumerate() {
        for name in metric.healthkit.iter().chain(&metric.health_connect) {
            let name = fold(name);
            owners.entry(name).or_default().insert(index);
        }
    }
    let sole = |(name, owners): (String, BTreeSet<usize>)| {
        let owner = owners.first().filter(|_| owners.len() == 1)?;
        Some((name, *owner))
    };
    owners.into_iter().filter_map(sole).collect()
}

/// A row of the vocabulary file.
#[derive(Deserialize)]
struct Row {
    name: String,
    aliases: String,
    ucum: String,
    loinc: String,
    healthkit: String,
    health_connect: String,
    hard_min: String,
    hard_max: String,
    aggregate_day: String,
}

impl From<Row> for Metric {
    fn from(row: Row) -> Self {
        let bounds = (row.hard_min.parse(), row.hard_max.parse());
        Self {
            spoken: spoken(&row.name),
            name: row.name,
            aliases: row
                .aliases
                .split('|')
                .filter(|alias| !alias.is_empty())
                .map(str::to_owned)
                .collect(),
            unit: row.ucum,
            loinc: first_word(&row.loinc),
            healthkit: first_word(&row.healthkit),
            health_connect: first_word(&row.health_connect),
            plausible: match bounds {
                (Ok(least), Ok(greatest)) => Some(least..=greatest),
                // The range of a mood depends on its scale.
                _ => None,
            },
            daily: match row.aggregate_day.split(['+', '|']).next() {
                Some("sum") => DailyAggregation::Sum,
                Some("median") => DailyAggregation::Median,
                Some("last") => DailyAggregation::Last,
                _ => DailyAggregation::Mean,
            },
        }
    }
}

/// Returns the code in a cell, without a remark in parentheses.
fn first_word(cell: &str) -> Option<String> {
    let word = cell.split_whitespace().next()?;
    (!word.starts_with('(')).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_metric_with_unique_names() {
        let lines = include_str!("vocabulary.csv").lines().count();
        assert_eq!(metrics().len(), lines - 1);
        assert_eq!(metrics().len(), 38);
        let mut names = HashMap::new();
        for metric in metrics() {
            for name in metric.names() {
                let other = names.insert(fold(name), &metric.name);
                assert!(other.is_none_or(|other| *other == metric.name), "{name}");
            }
        }
    }

    #[test]
    fn metrics_are_found_by_name_and_alias() {
        for name in ["heart_rate", "hr", "BPM", "Heart_Rate"] {
            assert_eq!(find(name).unwrap().name, "heart_rate");
        }
        for (name, expected) in [
            ("blood_sugar", "blood_glucose"),
            ("Blood-Sugar", "blood_glucose"),
            ("bp_systolic", "blood_pressure_systolic"),
            ("systolicBP", "blood_pressure_systolic"),
            ("diastolic_bp", "blood_pressure_diastolic"),
            ("spo2_percent", "blood_oxygen"),
            ("blood.oxygen", "blood_oxygen"),
        ] {
            assert_eq!(find(name).unwrap().name, expected, "{name}");
        }
        assert!(find("blood_type").is_none());
        let glucose = find("cgm").unwrap();
        assert_eq!(glucose.loinc.as_deref(), Some("2339-0"));
        assert_eq!(glucose.unit, "mg/dL");
        assert_eq!(glucose.daily, DailyAggregation::Mean);
        let stress = find("stress").unwrap();
        assert_eq!((&stress.health_connect, &stress.loinc), (&None, &None));
        assert_eq!(find("steps").unwrap().daily, DailyAggregation::Sum);
        assert_eq!(find("hrv").unwrap().daily, DailyAggregation::Median);
        assert_eq!(find("weight").unwrap().daily, DailyAggregation::Last);
        assert_eq!(find("rhr").unwrap().daily, DailyAggregation::Last);
    }

    #[test]
    fn unambiguous_platform_names_are_found() {
        for (name, expected) in [
            ("BloodGlucose", Some("blood_glucose")),
            (
                "HKQuantityTypeIdentifierBloodGlucose",
                Some("blood_glucose"),
            ),
            ("HeartRateRecord", Some("heart_rate")),
            ("OXYGENSATURATION", Some("blood_oxygen")),
            ("HKQuantityTypeIdentifierStepCount", Some("steps")),
            ("Vo2MaxRecord", Some("vo2_max")),
            ("BloodPressureRecord", None),
            ("SleepSessionRecord", None),
            ("HKQuantityTypeIdentifier", None),
        ] {
            let found = find(name).map(|metric| metric.name.as_str());
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn plausibility_is_checked_in_the_unit_of_the_value() {
        let glucose = find("blood_glucose").unwrap();
        assert!(glucose.is_plausible(5.4, "mmol/L"));
        assert!(!glucose.is_plausible(5.4, "mg/dL"));
        assert!(glucose.is_plausible(10.0, "mg/dL") && glucose.is_plausible(1000.0, "mg/dL"));
        assert!(!glucose.is_plausible(9.99, "mg/dL"));
        assert!(glucose.is_plausible(1.0, "spoons"), "an unknown unit");
        assert!(find("blood_oxygen").unwrap().is_plausible(0.97, "1"));
        assert!(
            find("body_temperature")
                .unwrap()
                .is_plausible(98.6, "[degF]")
        );
        assert!(
            find("mood").unwrap().is_plausible(-400.0, "{score}"),
            "no range"
        );
    }
}
