//! Firestore documents, from every kind of source.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::run::{import_with, imported, readings, report};
use crate::firestore_support::{ExportFixture, FakeFirestore};

fn text(text: &str) -> Value {
    json!({"stringValue": text})
}

fn map(fields: &Value) -> Value {
    json!({"mapValue": {"fields": fields}})
}

fn time(time: &str) -> Value {
    json!({"timestampValue": time})
}

/// Returns a metric with this block.
fn metric(block: &str, values: &Value) -> Value {
    map(&json!({
        "metric_id": text("m-1"),
        "metric_type": text("x"),
        block: map(values),
        "device_id": text("watch"),
        "raw_data": {"nullValue": null},
        "metadata": map(&json!({"source": text("apple_health")})),
        "created_at": time("2025-06-03T12:30:00.000001Z"),
    }))
}

/// Returns a document of each shape, and documents of other collections.
pub fn documents() -> Vec<(&'static str, Value)> {
    vec![
        (
            "health_data/a1",
            json!({
                "user_id": text("jane"), "processing_id": text("p"), "metric_index": {"integerValue": "0"},
                "metric_data": metric("biometric_data", &json!({
                    "heart_rate": {"doubleValue": 61.5}, "blood_pressure_systolic": {"integerValue": "120"},
                    "blood_pressure_diastolic": {"integerValue": "80"}, "oxygen_saturation": {"doubleValue": 97.5},
                    "heart_rate_variability": {"doubleValue": 41.25}, "respiratory_rate": {"integerValue": "14"},
                    "body_temperature": {"doubleValue": 36.6}, "blood_glucose": {"nullValue": null},
                })),
                "created_at": text("2025-06-03T12:35:00.123456+00:00"),
            }),
        ),
        (
            "health_data/p-2",
            json!({
                "user_id": text("jane"), "upload_source": text("fitbit"), "client_timestamp": text("2025-06-04T00:00:00Z"),
                "metrics": {"arrayValue": {"values": [
                    metric("activity_data", &json!({
                        "steps": {"integerValue": "6775"}, "distance": {"doubleValue": 4.9963},
                        "exercise_minutes": {"integerValue": "30"}, "active_minutes": {"integerValue": "45"},
                    })),
                    metric("sleep_data", &json!({
                        "total_sleep_minutes": {"integerValue": "480"}, "sleep_efficiency": {"doubleValue": 0.57},
                        "time_to_sleep_minutes": {"nullValue": null}, "wake_count": {"integerValue": "2"},
                        "sleep_stages": map(&json!({"deep": {"integerValue": "90"}, "REM": {"integerValue": "100"}})),
                        "sleep_start": time("2025-06-03T22:00:00Z"), "sleep_end": time("2025-06-04T06:00:00Z"),
                    })),
                    metric("mental_health_data", &json!({
                        "stress_level": {"doubleValue": 7.84}, "mood_score": {"nullValue": null},
                        "notes": text("tired"), "timestamp": time("2025-06-04T09:00:00Z"),
                    })),
                ]}},
            }),
        ),
        (
            "health_data/c1",
            json!({
                "user_id": text("jane"), "data_type": text("distance"), "value": {"integerValue": "5"},
                "timestamp": text("2025-06-05T10:00:00+02:00"), "mood": text("good"),
            }),
        ),
        (
            "health_data/c2",
            json!({
                "user_id": text("jane"), "type": text("blood_glucose"), "value": {"doubleValue": 5.5}, "unit": text("mmol/L"),
                "created_at": time("2025-06-05T11:00:00Z"),
            }),
        ),
        (
            "health_data/c3",
            json!({
                "user_id": text("jane"), "heart_rate": {"doubleValue": 64.0}, "steps": {"doubleValue": 100.0},
                "note": text("legacy"), "created_at": text("2025-06-06T00:00:00+00:00"),
            }),
        ),
        (
            "health_data/bad",
            json!({
                "user_id": text("jane"), "type": text("steps"), "value": text("many"), "created_at": time("2025-06-05T11:00:00Z"),
            }),
        ),
        ("health_data_processing/p", json!({"user_id": text("jane")})),
        (
            "users/jane/vitals/v1",
            json!({
                "bpm": {"integerValue": "58"}, "measured": {"integerValue": "1749117600000"}, "posture": text("lying"),
            }),
        ),
    ]
}

/// Type, value, unit and time of each reading in these documents, except those
/// that need a mapping.
const EXPECTED: [(&str, f64, &str, &str); 21] = [
    ("heart_rate", 61.5, "/min", "2025-06-03T12:30:00.000001Z"),
    (
        "blood_pressure_systolic",
        120.0,
        "mm[Hg]",
        "2025-06-03T12:30:00.000001Z",
    ),
    (
        "blood_pressure_diastolic",
        80.0,
        "mm[Hg]",
        "2025-06-03T12:30:00.000001Z",
    ),
    ("blood_oxygen", 97.5, "%", "2025-06-03T12:30:00.000001Z"),
    ("hrv_sdnn", 41.25, "ms", "2025-06-03T12:30:00.000001Z"),
    (
        "respiratory_rate",
        14.0,
        "/min",
        "2025-06-03T12:30:00.000001Z",
    ),
    (
        "body_temperature",
        36.6,
        "Cel",
        "2025-06-03T12:30:00.000001Z",
    ),
    ("steps", 6775.0, "{steps}", "2025-06-03T12:30:00.000001Z"),
    ("distance", 4996.3, "m", "2025-06-03T12:30:00.000001Z"),
    ("exercise_time", 30.0, "min", "2025-06-03T12:30:00.000001Z"),
    ("active_time", 45.0, "min", "2025-06-03T12:30:00.000001Z"),
    ("sleep_duration", 480.0, "min", "2025-06-04T06:00:00Z"),
    ("sleep_efficiency", 57.0, "%", "2025-06-04T06:00:00Z"),
    ("sleep_wake_count", 2.0, "{count}", "2025-06-04T06:00:00Z"),
    ("sleep_deep", 90.0, "min", "2025-06-04T06:00:00Z"),
    ("sleep_rem", 100.0, "min", "2025-06-04T06:00:00Z"),
    ("stress", 7.84, "{score}", "2025-06-04T09:00:00Z"),
    ("distance", 5000.0, "m", "2025-06-05T10:00:00+02:00"),
    ("blood_glucose", 5.5, "mmol/L", "2025-06-05T11:00:00Z"),
    ("heart_rate", 64.0, "/min", "2025-06-06T00:00:00+00:00"),
    ("steps", 100.0, "{steps}", "2025-06-06T00:00:00+00:00"),
];

#[track_caller]
fn assert_expected(readings: &[Value]) {
    let mut found: Vec<String> = readings
        .iter()
        .map(|it| {
            format!(
                "{} {} {} {}",
                it["data_type"], it["value"], it["unit"], it["timestamp"]
            )
        })
        .collect();
    let mut expected: Vec<String> = EXPECTED
        .iter()
        .map(|(data_type, value, unit, time)| {
            format!(
                "{} {} {} {}",
                json!(data_type),
                json!(value),
                json!(unit),
                json!(time)
            )
        })
        .collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

pub fn export() -> ExportFixture {
    documents()
        .iter()
        .fold(ExportFixture::new(), |export, (path, fields)| {
            export.document(path, fields).next_file()
        })
}

#[tokio::test]
async fn every_document_shape_becomes_readings() {
    let directory = tempdir().unwrap();
    let folder = directory.path().join("export");
    fs::create_dir(&folder).unwrap();
    export().write_to(&folder);
    let ran = imported(directory.path(), &["export", "--verify", "--report", "out"]);
    ran.assert_counts(21, 0, 1);
    let records = [
        "records",
        "stored",
        "rejected",
        "other",
        "collection vitals",
    ];
    let records = records.map(|name| ran.count("records", name));
    assert_eq!(records, [8, 5, 1, 2, 1]);
    let stored = readings(directory.path(), "jane").await;
    assert_expected(&stored);
    let of_type = |data_type: &str| {
        stored
            .iter()
            .find(|it| it["data_type"] == data_type)
            .unwrap()
    };
    assert_eq!(
        of_type("hrv_sdnn")["metadata"],
        json!({"device": "watch", "metric_id": "m-1", "metric_type": "x", "source": "apple_health"})
    );
    assert_eq!(
        of_type("heart_rate")["created_at"],
        "2025-06-03T12:35:00.123Z"
    );
    assert_eq!(of_type("stress")["metadata"]["scale"], "1-10");
    assert_eq!(of_type("stress")["metadata"]["notes"], "tired");
    assert_eq!(
        of_type("sleep_duration")["metadata"]["start"],
        "2025-06-03T22:00:00Z"
    );
    let lines = report(&directory.path().join("out"));
    let bad = lines
        .iter()
        .find(|it| it["record"] == "health_data/bad")
        .unwrap();
    assert_eq!(bad["readings"][0]["reason"], "value must be a number");
    let other = lines.iter().find(|it| it["outcome"] == "other").unwrap();
    assert_eq!(other["kind"], "collection health_data_processing");
    imported(directory.path(), &["export"]).assert_counts(0, 21, 1);
}

#[tokio::test]
async fn mapping_file_converts_other_collections() {
    let directory = tempdir().unwrap();
    let folder = directory.path().join("export");
    fs::create_dir(&folder).unwrap();
    export().write_to(&folder);
    let map = r#"
        [[collection]]
        path = "users/*/vitals"
        user = { document_of = "users" }
        type = { is = "resting_heart_rate" }
        value = "bpm"
        time = "measured"
        time_unit = "ms"
        unit = { is = "/min" }
    "#;
    fs::write(directory.path().join("map.toml"), map).unwrap();
    let ran = imported(
        directory.path(),
        &["export", "--map", "map.toml", "--verify"],
    );
    ran.assert_counts(22, 0, 1);
    let stored = readings(directory.path(), "jane").await;
    let mapped = stored
        .iter()
        .find(|it| it["data_type"] == "resting_heart_rate")
        .unwrap();
    assert_eq!(
        [
            &mapped["value"],
            &mapped["timestamp"],
            &mapped["unit"],
            &mapped["metadata"]
        ],
        [
            &json!(58.0),
            &json!("2025-06-05T10:00:00Z"),
            &json!("/min"),
            &json!({"posture": "lying"})
        ]
    );
    // Fractional seconds, as Python writes them.
    let line = r#"{"path":"users/jane/pulses/p1","data":{"bpm":61,"at":1749117600.25}}"#;
    fs::write(directory.path().join("pulses.ndjson"), line).unwrap();
    let map = map
        .replace("vitals", "pulses")
        .replace("measured", "at")
        .replace("\"ms\"", "\"s\"");
    fs::write(directory.path().join("pulses.toml"), map).unwrap();
    let arguments = ["pulses.ndjson", "--map", "pulses.toml"];
    imported(directory.path(), &arguments).assert_counts(1, 0, 0);
    let stored = readings(directory.path(), "jane").await;
    let times: Vec<&Value> = stored.iter().map(|it| &it["timestamp"]).collect();
    assert!(
        times.contains(&&json!("2025-06-05T10:00:00.25Z")),
        "{times:?}"
    );
    fs::write(
        directory.path().join("bad.toml"),
        "[[collection]]\npath = 1\n",
    )
    .unwrap();
    let ran = import_with(directory.path(), &["export", "--map", "bad.toml"], &[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints
            .contains("bad.toml is not a valid mapping file"),
        "{}",
        ran.complaints
    );
}

#[tokio::test]
async fn live_database_is_imported() {
    let fake = FakeFirestore::start().await;
    for (path, fields) in documents() {
        fake.document(path, &fields);
    }
    let directory = tempdir().unwrap();
    let host = fake.host().to_string();
    let path = directory.path().to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let variables = [("FIRESTORE_EMULATOR_HOST", host.as_str())];
        import_with(
            &path,
            &["--firestore-project", "demo-clarity", "--verify"],
            &variables,
        )
    });
    let ran = ran.await.unwrap();
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(21, 0, 1);
    assert_expected(&readings(directory.path(), "jane").await);
}

/// A token expires after an hour, before a large database is read.
#[tokio::test]
async fn live_import_resumes_after_a_failure() {
    let fake = FakeFirestore::start().await;
    for index in 0..250 {
        let time = format!("2025-06-03T{:02}:{:02}:00Z", index / 60, index % 60);
        let fields = json!({
            "user_id": text("jane"), "type": text("steps"), "value": {"integerValue": "1"}, "created_at": {"timestampValue": time},
        });
        fake.document(&format!("health_data/{index:03}"), &fields);
    }
    let directory = tempdir().unwrap();
    let run = |arguments: &'static [&'static str]| {
        let (path, host) = (directory.path().to_owned(), fake.host().to_owned());
        tokio::task::spawn_blocking(move || {
            let arguments = [
                &["--firestore-project", "demo-clarity", "--report", "out"],
                arguments,
            ]
            .concat();
            import_with(
                &path,
                &arguments,
                &[("FIRESTORE_EMULATOR_HOST", host.as_str())],
            )
        })
    };
    // Fails before the first page, which leaves a checkpoint at the beginning.
    fake.fail(401, None);
    let ran = run(&[]).await.unwrap();
    assert_eq!(ran.code, 1, "{}{}", ran.summary, ran.complaints);
    fake.succeed().fail(401, None);
    let ran = run(&["--resume"]).await.unwrap();
    assert_eq!(ran.code, 1, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(100, 0, 0);
    assert!(ran.complaints.contains("401"), "{}", ran.complaints);
    let before = fake.requests().len();
    let ran = run(&["--resume", "--verify"]).await.unwrap();
    assert_eq!(ran.code, 0, "{}{}", ran.summary, ran.complaints);
    ran.assert_counts(250, 0, 0);
    assert_eq!(ran.count("source errors", "source errors"), 0);
    assert_eq!(report(&directory.path().join("out")).len(), 250);
    let first = &fake.requests()[before].1["structuredQuery"]["startAt"];
    let last = first["values"][0]["referenceValue"].as_str().unwrap();
    assert!(last.ends_with("health_data/099"), "{last}");
}

#[tokio::test]
async fn tool_json_is_imported() {
    let directory = tempdir().unwrap();
    // The tool writes the path first.
    let text = r#"{"path":"health_data/c1","data":{"user_id":"jane","data_type":"steps","value":7,"timestamp":"2025-06-05T10:00:00Z"},"timestamps":[]}
{"path":"other/x","data":{"a":1},"timestamps":[]}
"#;
    fs::write(directory.path().join("backfire.ndjson"), text).unwrap();
    let ran = imported(directory.path(), &["backfire.ndjson", "--verify"]);
    ran.assert_counts(1, 0, 0);
    assert_eq!(ran.count("records", "collection other"), 1);
    let node = json!({"__collections__": {"health_data": {"c1": {"user_id": "jane", "data_type": "steps", "value": 7,
        "timestamp": "2025-06-05T10:00:00Z", "__collections__": {}}}}});
    fs::write(directory.path().join("node.json"), node.to_string()).unwrap();
    imported(directory.path(), &["node.json"]).assert_counts(0, 1, 0);
}
