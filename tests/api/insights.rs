//! Answers to questions.

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
