//! An export of a real phone, compared with an independent reader.

use std::fs;

use clarity_backend::import::apple_health::AppleHealth;
use serde_json::Value;

use super::support::{Item, options};

const DATA: &str = "../shared/data";

#[test]
#[cfg_attr(not(sample_data), ignore = "requires ../shared/data")]
fn real_export_equals_an_independent_reader() {
    let path = format!("{DATA}/apple_export6s3sample.xml");
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for item in AppleHealth::open(path.as_ref(), &options()).unwrap() {
        match item.unwrap().content.into() {
            Item::Readings(readings) => found.extend(readings),
            Item::Rejected(reason) => panic!("{reason}"),
            Item::Other(name) => others.push(name),
        }
    }
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    assert_eq!(
        others,
        [
            "ExportDate",
            "Me",
            "ActivitySummary",
            "ActivitySummary",
            "Workout"
        ]
    );
    let expected = fs::read_to_string(format!("{DATA}/apple_sample.jsonl")).unwrap();
    let expected: Vec<Value> = expected
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let found = &found.measurement;
        assert_eq!(found.data_type.as_str(), expected["data_type"]);
        assert_eq!(found.timestamp.to_string(), expected["timestamp"]);
        let metadata: Value = serde_json::from_str(found.metadata.as_str()).unwrap();
        assert_eq!(metadata["source"], expected["metadata"]["source"]);
        let value = expected["value"].as_f64().unwrap();
        // The other reader preserves the units of the file.
        let value = if expected["metadata"]["unit"] == "km" {
            value * 1_000.0
        } else {
            value
        };
        assert!((found.value.get() - value).abs() < 1e-9);
    }
}
