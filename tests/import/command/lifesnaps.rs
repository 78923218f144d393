//! An export of realistic size, compared value by value with an independent
//! reader.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::tempdir;

use super::run::{export_of, imported};
use crate::service::Service;

/// User, type, value, unit, microseconds, device and source of a reading.
type Comparable = (String, String, String, String, i64, Value, Value);

/// Block, field, data type, unit in the vocabulary, and the power of ten of the
/// conversion.
const FIELDS: [(&str, &str, &str, &str, u8); 11] = [
    ("biometric_data", "heart_rate", "heart_rate", "/min", 0),
    (
        "biometric_data",
        "oxygen_saturation",
        "blood_oxygen",
        "%",
        0,
    ),
    (
        "biometric_data",
        "heart_rate_variability",
        "hrv_sdnn",
        "ms",
        0,
    ),
    (
        "biometric_data",
        "respiratory_rate",
        "respiratory_rate",
        "/min",
        0,
    ),
    ("activity_data", "steps", "steps", "{steps}", 0),
    ("activity_data", "distance", "distance", "m", 3),
    ("activity_data", "vo2_max", "vo2_max", "mL/min/kg", 0),
    (
        "activity_data",
        "resting_heart_rate",
        "resting_heart_rate",
        "/min",
        0,
    ),
    (
        "sleep_data",
        "total_sleep_minutes",
        "sleep_duration",
        "min",
        0,
    ),
    ("sleep_data", "sleep_efficiency", "sleep_efficiency", "%", 2),
    ("mental_health_data", "stress_level", "stress", "{score}", 0),
];

#[tokio::test]
#[cfg_attr(not(sample_exports), ignore = "requires ../shared/firestore")]
async fn every_reading_equals_an_independent_reader() {
    let export = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/firestore/clarity-lifesnaps/firestore_export"
    );
    let output = PathBuf::from(export).join("all_namespaces/all_kinds/output-0");
    let documents = documents(&fs::read(output).unwrap());
    assert_eq!(documents.len(), 3_001);
    let mut expected: Vec<Comparable> = documents.iter().flat_map(expected_readings).collect();
    expected.sort_by_key(|it| format!("{it:?}"));

    let directory = tempdir().unwrap();
    imported(directory.path(), &[export]);
    let mut users: Vec<&str> = expected.iter().map(|it| &*it.0).collect();
    users.dedup();
    let service = Service::start(directory.path(), &[]);
    let mut stored: Vec<Comparable> = Vec::new();
    for user in users {
        let text = export_of(&service, user, "application/x-ndjson").await;
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        stored.extend(
            lines
                .filter(|line: &Value| line["data_id"].is_string())
                .map(stored_reading),
        );
    }
    service.stop("TERM");
    stored.sort_by_key(|it| format!("{it:?}"));
    assert_eq!(expected.len(), 4_722);
    assert_eq!(stored.len(), expected.len());
    for (stored, expected) in stored.iter().zip(&expected) {
        assert_eq!(stored, expected);
    }
}

fn stored_reading(line: Value) -> Comparable {
    let text = |name: &str| line[name].as_str().unwrap().to_owned();
    let time: Timestamp = text("timestamp").parse().unwrap();
    (
        text("user_id"),
        text("data_type"),
        line["value"].as_f64().unwrap().to_string(),
        text("unit"),
        time.as_microsecond(),
        line["metadata"]["device"].clone(),
        line["metadata"]["source"].clone(),
    )
}

/// Converts a document.
fn expected_readings(document: &Value) -> Vec<Comparable> {
    let user = || document["user_id"].as_str().unwrap().to_owned();
    let reading = |name: &Value, field: (&str, &str, u8), time: i64, device, source| {
        let (data_type, unit, tens) = field;
        // Shifts the decimal point, as a person would.
        let value: f64 = format!("{name}e{tens}").parse().unwrap();
        (
            user(),
            data_type.to_owned(),
            value.to_string(),
            unit.to_owned(),
            time,
            device,
            source,
        )
    };
    let metrics = match (&document["metric_data"], &document["metrics"]) {
        (Value::Object(_), _) => vec![document["metric_data"].clone()],
        (_, Value::Array(metrics)) => metrics.clone(),
        _ => {
            // The oldest shape, or another collection, which has no values.
            let time = document["created_at"]
                .as_str()
                .map(|it| it.parse::<Timestamp>().unwrap());
            return [("heart_rate", "/min"), ("steps", "{steps}")]
                .into_iter()
                .filter(|(name, _)| document[name].is_number())
                .map(|(name, unit)| {
                    let time = time.unwrap().as_microsecond();
                    reading(
                        &document[name],
                        (name, unit, 0),
                        time,
                        Value::Null,
                        Value::Null,
                    )
                })
                .collect();
        }
    };
    let of_metric = |metric: &Value| {
        let values = FIELDS
            .iter()
            .filter(|(block, name, ..)| !metric[block][name].is_null());
        let readings = values.map(|(block, name, data_type, unit, tens)| {
            let time = match *block {
                "sleep_data" => &metric[block]["sleep_end"],
                "mental_health_data" => &metric[block]["timestamp"],
                _ => &metric["created_at"],
            };
            reading(
                &metric[block][name],
                (data_type, unit, *tens),
                time["microseconds"].as_i64().unwrap(),
                metric["device_id"].clone(),
                metric["metadata"]["source"].clone(),
            )
        });
        readings.collect::<Vec<_>>()
    };
    metrics.iter().flat_map(of_metric).collect()
}

/// Decodes the documents of a valid file.
fn documents(file: &[u8]) -> Vec<Value> {
    let (mut documents, mut record) = (Vec::new(), Vec::new());
    for block in file.chunks(32_768) {
        let mut rest = block;
        while rest.len() >= 7 && rest[6] != 0 {
            let length = usize::from(rest[4]) + 256 * usize::from(rest[5]);
            record.extend_from_slice(&rest[7..7 + length]);
            if rest[6] == 1 || rest[6] == 4 {
                documents.push(entity(&std::mem::take(&mut record)));
            }
            rest = &rest[7 + length..];
        }
    }
    documents
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if *first < 0x80 {
            break;
        }
    }
    number
}

/// Returns the field numbers with their values as a number and as bytes. Groups
/// are skipped, as no value of this export is one.
fn fields(mut message: &[u8]) -> Vec<(u64, u64, &[u8])> {
    let mut found = Vec::new();
    let mut deep = 0;
    while !message.is_empty() {
        let tag = varint(&mut message);
        let (mut number, mut bytes): (u64, &[u8]) = (0, &[]);
        match tag & 7 {
            0 => number = varint(&mut message),
            1 => {
                let (first, rest) = message.split_at(8);
                (bytes, message) = (first, rest);
            }
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                let (first, rest) = message.split_at(length);
                (bytes, message) = (first, rest);
            }
            3 => deep += 1,
            4 => deep -= 1,
            other => panic!("wire type {other}"),
        }
        if deep == 0 {
            found.push((tag >> 3, number, bytes));
        }
    }
    found
}

fn entity(bytes: &[u8]) -> Value {
    let mut members = Map::new();
    for (field, _, property) in fields(bytes) {
        if field != 14 && field != 15 {
            continue;
        }
        let parts = fields(property);
        let part = |wanted: u64| parts.iter().find(|(field, ..)| *field == wanted);
        let name = String::from_utf8(part(3).unwrap().2.to_owned()).unwrap();
        let meaning = part(1).map_or(0, |part| part.1);
        let value = match (
            part(5).and_then(|part| fields(part.2).first().copied()),
            meaning,
        ) {
            _ if meaning == 24 => json!([]),
            (None, _) => Value::Null,
            (Some((1, number, _)), 7) => json!({"microseconds": number.cast_signed()}),
            (Some((3, _, inner)), 19) => entity(inner),
            (Some((1, number, _)), _) => json!(number.cast_signed()),
            (Some((2, bit, _)), _) => json!(bit == 1),
            (Some((3, _, text)), _) => json!(str::from_utf8(text).unwrap()),
            (Some((4, _, double)), _) => json!(f64::from_le_bytes(double.try_into().unwrap())),
            (Some((other, ..)), _) => panic!("value {other}"),
        };
        let is_element = part(4).is_some_and(|part| part.1 == 1);
        if is_element {
            let array = members.entry(name).or_insert(json!([]));
            array.as_array_mut().unwrap().push(value);
        } else {
            assert!(members.insert(name, value).is_none());
        }
    }
    Value::Object(members)
}
