//! Answers to questions.

mod client_text;
mod conformance;
mod events;
mod faithfulness;
mod gemini;
mod readings_ahead;
mod reference;
mod safety;
mod series;

use std::sync::Arc;

use clarity_backend::domain::{Measurement, MeasurementTime, Metadata, Reading, ReadingValue};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{TestApp, example_with};

/// Asks a question about `user123` and returns the answer.
async fn ask(app: &TestApp, query: &str) -> Value {
    let question = json!({"user_id": "user123", "query": query});
    let answer = app.post_raw("/api/v1/insights", question.to_string()).await;
    answer.expect(StatusCode::OK)
}

/// Stores readings of the example's user, each with these members replaced.
async fn store(app: &TestApp, readings: impl IntoIterator<Item = Value>) {
    for members in readings {
        app.post(&example_with(members))
            .await
            .expect(StatusCode::OK);
    }
}

/// Returns all facts of the answer.
fn facts(answer: &Value) -> Vec<&Value> {
    answer["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|finding| finding["facts"].as_array().unwrap())
        .collect()
}

/// Returns the values of a statistic of a metric.
fn values(answer: &Value, metric: &str, statistic: &str) -> Vec<f64> {
    facts(answer)
        .into_iter()
        .filter(|fact| fact["metric"] == metric && fact["statistic"] == statistic)
        .map(|fact| fact["value"].as_f64().unwrap())
        .collect()
}

#[tokio::test]
async fn numbers_are_computed_from_the_named_period() {
    let app = TestApp::start().await;
    let readings = [
        (60, "2024-05-30T08:00:00Z"),
        (62, "2024-05-28T08:00:00Z"),
        // Exactly seven days before the newest: outside the week.
        (70, "2024-05-23T08:00:00Z"),
        (90, "2024-05-01T08:00:00Z"),
        // Exactly 30 days before the newest: outside.
        (200, "2024-04-30T08:00:00Z"),
    ];
    let readings =
        readings.map(|(value, at)| json!({"value": value, "timestamp": at, "unit": "/min"}));
    store(&app, readings).await;
    let answer = ask(&app, "How am I doing?").await;
    assert_eq!(
        answer["insight"],
        "Heart rate: mean 70.5 /min, from 60 /min to 90 /min, last 60 /min, from 4 readings \
         in the 30 days up to 2024-05-30. The mean heart rate in the 7 days up to 2024-05-30 \
         is 61 /min. For heart rate there are 4 readings on 4 days in the 30 days up to \
         2024-05-30."
    );
    assert_eq!(values(&answer, "heart_rate", "min"), [60.0]);
    assert_eq!(values(&answer, "heart_rate", "max"), [90.0]);
    assert_eq!(values(&answer, "heart_rate", "last"), [60.0]);
    assert_eq!(values(&answer, "heart_rate", "mean"), [70.5, 61.0]);
    let count = facts(&answer)[0];
    assert_eq!(
        (&count["statistic"], &count["value"]),
        (&json!("count"), &json!(4.0))
    );
    assert_eq!(
        count["window"],
        json!({"start": "2024-04-30T08:00:00Z", "end": "2024-05-30T08:00:00Z"})
    );
    assert_eq!(
        answer["data_coverage"],
        json!({"readings": 4, "days": 4, "missing": []})
    );
    assert_eq!(
        (&answer["status"], &answer["source"]),
        (&json!("complete"), &json!("statistics"))
    );
}

#[tokio::test]
async fn answer_has_all_members_of_the_contract() {
    let app = TestApp::start().await;
    store(&app, [json!({"timestamp": "2024-05-31T00:00:00Z"})]).await;
    let answer = ask(&app, "What is my last heart rate?").await;
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    let mut expected = vec![
        "success",
        "insight",
        "error",
        "answer_id",
        "status",
        "source",
        "findings",
        "recommendations",
        "confidence",
        "data_coverage",
        "safety",
        "verification",
        "model",
        "usage",
    ];
    expected.sort_unstable();
    assert_eq!(members, expected);
    assert_eq!(answer["success"], true);
    for member in ["error", "model", "usage"] {
        assert_eq!(answer[member], json!(null), "{member}");
    }
    assert!(
        answer["answer_id"]
            .as_str()
            .unwrap()
            .parse::<uuid::Uuid>()
            .is_ok()
    );
    assert_eq!(answer["safety"]["escalation"], json!(null));
    assert!(
        answer["safety"]["disclaimer"]
            .as_str()
            .unwrap()
            .contains("not medical advice")
    );
    assert_eq!(
        answer["verification"],
        json!({"numbers_checked": 3, "numbers_unsupported": 0})
    );
    let advice = &answer["recommendations"][0];
    assert!(advice["text"].as_str().unwrap().contains("heart"));
    let last = facts(&answer)[0];
    assert_eq!(advice["based_on"], json!([last["fact_id"]]));
    assert_eq!(last["statistic"], "last");
    assert_eq!(last["n"], 1);
    assert_eq!(answer["findings"][0]["direction"], json!(null));
    // The fact names its reading.
    let id = last["reading_ids"][0].as_str().unwrap();
    let reading = app.get(&format!("/api/v1/data/user123/{id}")).await;
    assert_eq!(reading.expect(StatusCode::OK)["data"]["value"], 72.0);
}

#[tokio::test]
async fn answer_without_readings_states_no_facts() {
    let app = TestApp::start().await;
    let answer = ask(&app, "How am I doing?").await;
    assert!(answer["insight"].as_str().unwrap().contains("no readings"));
    assert_eq!(answer["findings"], json!([]));
    assert_eq!(answer["recommendations"], json!([]));
    assert_eq!(answer["confidence"]["level"], "low");
    assert_eq!(answer["data_coverage"]["readings"], 0);
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["readings: none are stored for this user yet"])
    );
}

#[tokio::test]
async fn missing_data_types_are_reported() {
    let app = TestApp::start().await;
    store(&app, [json!({"timestamp": "2024-05-31T00:00:00Z"})]).await;
    let answer = ask(&app, "How did I sleep?").await;
    assert_eq!(
        answer["insight"],
        "There are no readings of sleep; there are readings of heart rate."
    );
    assert_eq!(answer["findings"], json!([]));
    assert_eq!(answer["confidence"]["level"], "low");
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["readings of sleep"])
    );
    let answer = ask(&app, "Sleep and heart rate?").await;
    assert_eq!(values(&answer, "heart_rate", "last"), [72.0]);
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["readings of sleep"])
    );
}

#[tokio::test]
async fn withheld_readings_are_not_used() {
    let app = TestApp::start().await;
    store(&app, [json!({})]).await;
    let withheld = json!({"user_id": "user123", "query": "How?", "include_recent_data": false});
    let answer = app.post_raw("/api/v1/insights", withheld.to_string()).await;
    let answer = answer.expect(StatusCode::OK);
    assert_eq!(answer["findings"], json!([]));
    assert!(!answer["insight"].as_str().unwrap().contains("72"));
    assert_eq!(answer["confidence"]["level"], "low");
}

#[tokio::test]
async fn stale_readings_are_reported() {
    let app = TestApp::start().await;
    // A week before now to the second, and one second more.
    let readings = [
        ("steps", "2024-05-25T12:00:00Z"),
        ("weight", "2024-05-25T11:59:59Z"),
    ];
    store(
        &app,
        readings.map(|(data_type, at)| json!({"data_type": data_type, "timestamp": at})),
    )
    .await;
    let answer = ask(&app, "My steps and my weight?").await;
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.ends_with("The newest readings of weight are of 2024-05-25, more than a week ago."),
        "{text}"
    );
    assert_eq!(
        answer["data_coverage"]["missing"],
        json!(["readings of weight in the last 7 days"])
    );
    assert_eq!(answer["confidence"]["level"], "low");
}

/// If not all readings were read, the answer names the part that it covers.
#[tokio::test]
async fn answer_covers_only_the_readings_that_were_read() {
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
            // Two pages of these, each ended early by its size, are all that an
            // answer reads.
            metadata: Metadata::parse(&json!({"note": "x".repeat(9_000)}).to_string()).unwrap(),
            client_record: None,
        };
        Reading::accept(measurement, newest)
    });
    for reading in readings {
        store.put(reading).await.unwrap();
    }
    let app = TestApp::start_with_store(Arc::new(store), Some(directory)).await;
    let answer = ask(&app, "How am I doing?").await;
    assert_eq!(answer["status"], "partial");
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.starts_with(
            "Heart rate: mean 60 /min, from 60 /min to 60 /min, last 60 /min, from 931 readings \
             from 2024-05-21 up to 2024-05-31. The mean heart rate in the \
             7 days up to 2024-05-31 is 60 /min."
        ),
        "{text}"
    );
    assert!(
        text.ends_with(
            "Only the newest 932 readings were looked at, so older ones, and data types that \
             have only older ones, are left out."
        ),
        "{text}"
    );
    assert_eq!(
        answer["findings"][0]["facts"][0]["window"]["start"],
        "2024-05-21T07:15:00.000999999Z"
    );
}

/// It also names the number of the other series.
#[tokio::test]
async fn answer_to_a_general_question_selects_a_few_series() {
    let app = TestApp::start().await;
    let types = (0..51).map(|number| json!({"data_type": format!("type_{number:02}")}));
    store(&app, types).await;
    let answer = ask(&app, "How am I doing?").await;
    assert_eq!(answer["status"], "partial");
    assert_eq!(answer["findings"].as_array().unwrap().len(), 3);
    let text = answer["insight"].as_str().unwrap();
    assert!(
        text.ends_with("48 more series can be asked for by their data types."),
        "{text}"
    );
    // Any series can be requested by its name, known or not.
    let answer = ask(&app, "And type 37?").await;
    assert_eq!(values(&answer, "other", "last"), [72.0]);
    assert_eq!(answer["status"], "complete");
}

#[tokio::test]
async fn readings_within_a_millisecond_are_in_order_of_time() {
    let app = TestApp::start().await;
    let readings = (1..=9).map(|value| {
        json!({"value": 60 + value, "timestamp": format!("2024-01-15T10:30:00.00000000{value}Z")})
    });
    store(&app, readings).await;
    let answer = ask(&app, "How am I doing?").await;
    for (statistic, value) in [("count", 9.0), ("min", 61.0), ("max", 69.0), ("last", 69.0)] {
        let found = values(&answer, "heart_rate", statistic);
        assert_eq!(found[0], value, "{statistic}");
    }
}
