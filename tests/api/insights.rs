//! Answers to questions.

use std::sync::Arc;

use clarity_backend::domain::{Measurement, MeasurementTime, Metadata, Reading, ReadingValue};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{TestApp, example_with};

async fn ask(app: &TestApp, question: &Value) -> Value {
    let answer = app.post_raw("/api/v1/insights", question.to_string()).await;
    answer.expect(StatusCode::OK)
}

fn question() -> Value {
    json!({"user_id": "user123", "query": "How am I doing?"})
}

/// The value of the statistic of a metric, over its whole period or its weeks.
fn facts(answer: &Value, metric: &str, statistic: &str) -> Vec<f64> {
    answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["facts"].as_array().unwrap())
        .filter(|fact| fact["metric"] == metric && fact["statistic"] == statistic)
        .map(|fact| fact["value"].as_f64().unwrap())
        .collect()
}

#[tokio::test]
async fn every_number_is_computed_from_the_period_named() {
    let app = TestApp::start().await;
    for (value, timestamp) in [
        (60, "2024-03-30T08:00:00Z"),
        (62, "2024-03-28T08:00:00Z"),
        // Exactly seven days before the newest: in the week before.
        (70, "2024-03-23T08:00:00Z"),
        // Within the 30 days, outside the two weeks.
        (90, "2024-03-01T08:00:00Z"),
        // Exactly 30 days before the newest: outside.
        (200, "2024-02-29T08:00:00Z"),
    ] {
        let reading = example_with(json!({"value": value, "timestamp": timestamp, "unit": "/min"}));
        app.post(&reading).await.expect(StatusCode::OK);
    }
    let answer = ask(&app, &question()).await;
    assert_eq!(
        answer["insight"],
        "heart_rate: 4 readings in the 30 days up to 2024-03-30 (UTC), from 60 to 90 /min, \
         mean 70.5 /min, last 60 /min. The last 7 days have a mean of 61 /min from 2 readings; \
         the 7 days before have a mean of 70 /min from 1 reading."
    );
    assert_eq!(facts(&answer, "heart_rate", "count"), [4.0]);
    assert_eq!(facts(&answer, "heart_rate", "min"), [60.0]);
    assert_eq!(facts(&answer, "heart_rate", "max"), [90.0]);
    assert_eq!(facts(&answer, "heart_rate", "last"), [60.0]);
    assert_eq!(facts(&answer, "heart_rate", "mean"), [70.5, 61.0, 70.0]);
    let first = &answer["findings"][0]["facts"][0];
    assert_eq!(first["fact_id"], "f1");
    assert_eq!(
        first["window"],
        json!({"start": "2024-02-29T08:00:00Z", "end": "2024-03-30T08:00:00Z"})
    );
    assert_eq!(answer["data_coverage"], json!({"readings": 4, "days": 4}));
    assert_eq!(
        (&answer["status"], &answer["source"]),
        (&json!("complete"), &json!("statistics"))
    );
}

#[tokio::test]
async fn each_type_has_its_own_period_and_units_are_never_mixed() {
    let app = TestApp::start().await;
    for (data_type, value, unit, timestamp) in [
        ("blood_glucose", 90.0, "mg/dL", "2024-05-01T00:00:00Z"),
        ("blood_glucose", 5.0, "mmol/L", "2024-05-02T00:00:00Z"),
        ("weight", 80.0, "kg", "2020-01-01T00:00:00Z"),
    ] {
        let reading = example_with(json!({
            "data_type": data_type, "value": value, "unit": unit, "timestamp": timestamp
        }));
        app.post(&reading).await.expect(StatusCode::OK);
    }
    let answer = ask(&app, &question()).await;
    assert_eq!(facts(&answer, "blood_glucose", "max"), [90.0, 5.0]);
    assert!(
        answer["insight"]
            .as_str()
            .unwrap()
            .contains("up to 2020-01-01 (UTC)")
    );
    assert_eq!(answer["findings"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn without_readings_nothing_is_invented() {
    let app = TestApp::start().await;
    let answer = ask(&app, &question()).await;
    assert!(answer["insight"].as_str().unwrap().contains("no readings"));
    assert_eq!(answer["findings"], json!([]));
    assert_eq!(answer["data_coverage"], json!({"readings": 0, "days": 0}));
}

#[tokio::test]
async fn readings_that_are_withheld_are_not_used() {
    let app = TestApp::start().await;
    app.post(&example_with(json!({})))
        .await
        .expect(StatusCode::OK);
    let mut withheld = question();
    withheld["include_recent_data"] = json!(false);
    let answer = ask(&app, &withheld).await;
    assert_eq!(answer["findings"], json!([]));
    assert!(!answer["insight"].as_str().unwrap().contains("72"));
}

/// Where not all could be looked at, the answer says of what it speaks, and
/// says nothing of the rest.
#[tokio::test]
async fn what_was_not_looked_at_is_not_described() {
    let directory = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(directory.path()).unwrap();
    let newest: Timestamp = "2024-05-31T00:00:00Z".parse().unwrap();
    let readings = (0..1_001_i64).map(|number| {
        let at = newest - SignedDuration::from_mins(15 * number);
        let measurement = Measurement {
            user_id: "user123".parse().unwrap(),
            data_type: "heart_rate".parse().unwrap(),
            value: ReadingValue::try_from(60.0).unwrap(),
            timestamp: MeasurementTime::parse_any(&at.to_string()).unwrap(),
            unit: None,
            // A page of these is as much as an answer looks at.
            metadata: Metadata::parse(&json!({"note": "x".repeat(9_000)}).to_string()).unwrap(),
            client_record: None,
        };
        Reading::take_in(measurement, newest)
    });
    for reading in readings {
        store.put(reading).await.unwrap();
    }
    let app = TestApp::over(Arc::new(store), Some(directory)).await;
    let answer = ask(&app, &question()).await;
    assert_eq!(answer["status"], "partial");
    assert_eq!(
        answer["insight"],
        "heart_rate: 999 readings after 2024-05-20T14:15:00.000999999Z up to 2024-05-31 (UTC), \
         from 60 to 60, mean 60, last 60. The last 7 days have a mean of 60 from 672 readings; \
         the 7 days before were not looked at whole. Only the newest 1000 readings were looked at; \
         older ones, and data types that have only older ones, are left out."
    );
    assert_eq!(
        answer["findings"][0]["facts"][0]["window"]["start"],
        "2024-05-20T14:15:00.000999999Z"
    );
}

#[tokio::test]
async fn an_answer_describes_fifty_types_at_most() {
    let app = TestApp::start().await;
    for number in 0..51 {
        let reading = example_with(json!({"data_type": format!("type_{number:02}")}));
        app.post(&reading).await.expect(StatusCode::OK);
    }
    let answer = ask(&app, &question()).await;
    assert_eq!(answer["status"], "partial");
    assert_eq!(answer["findings"].as_array().unwrap().len(), 50);
    assert!(
        answer["insight"]
            .as_str()
            .unwrap()
            .ends_with("1 more are left out.")
    );
}

#[tokio::test]
async fn readings_of_one_millisecond_are_told_in_order() {
    let app = TestApp::start().await;
    for value in 1..=9 {
        let timestamp = format!("2024-01-15T10:30:00.00000000{value}Z");
        let reading = example_with(json!({"value": value, "timestamp": timestamp}));
        app.post(&reading).await.expect(StatusCode::OK);
    }
    let answer = ask(&app, &question()).await;
    for (statistic, value) in [("count", 9.0), ("min", 1.0), ("max", 9.0), ("last", 9.0)] {
        assert_eq!(
            facts(&answer, "heart_rate", statistic),
            [value],
            "{statistic}"
        );
    }
}
