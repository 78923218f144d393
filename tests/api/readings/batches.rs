//! Batch requests.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{ApiResponse, TestApp, example, example_with};
use crate::support::faulty_store::FaultyStore;

const PATH: &str = "/api/v1/data/batch";

async fn send_batch(app: &TestApp, readings: &[Value]) -> ApiResponse {
    let body = json!({"readings": readings}).to_string();
    app.post_raw(PATH, body).await
}

/// Returns the status of each reading, in the order of the request.
fn statuses(response: &Value) -> Vec<&str> {
    let results = response["results"].as_array().unwrap();
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index, "in the order of the request");
    }
    results
        .iter()
        .map(|result| result["result"].as_str().unwrap())
        .collect()
}

fn at_minute(minute: usize) -> Value {
    let (hour, minute) = (minute / 60, minute % 60);
    let timestamp = format!("2024-01-15T{hour:02}:{minute:02}:00Z");
    example_with(json!({"timestamp": timestamp}))
}

async fn check_resent_batch(app: &TestApp) {
    let readings: Vec<Value> = (0..120).map(at_minute).collect();
    for _ in 0..2 {
        let response = send_batch(app, &readings).await.expect(StatusCode::OK);
        assert_eq!(response["success"], true);
        assert_eq!(response["stored"], 120);
        assert_eq!(
            (&response["superseded"], &response["rejected"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(statuses(&response), ["stored"; 120]);
        assert_eq!(app.count("user123").await, 120);
    }
    let single = app.post(&readings[7]).await.expect(StatusCode::OK);
    let response = send_batch(app, &readings).await.expect(StatusCode::OK);
    assert_eq!(response["results"][7]["data_id"], single["data_id"]);
}

#[tokio::test]
async fn resent_batch_is_idempotent() {
    check_resent_batch(&TestApp::start().await).await;
}

#[tokio::test]
async fn resent_batch_is_idempotent_on_dynamodb() {
    check_resent_batch(&TestApp::start_on_dynamodb().await).await;
}

#[tokio::test]
async fn invalid_reading_is_reported_and_others_are_stored() {
    let app = TestApp::start().await;
    let readings = [
        example(),
        example_with(json!({"value": "72", "colour": "red"})),
        example_with(json!({"value": "72", "timestamp": "yesterday"})),
        json!(7),
        example_with(json!({"user_id": "other"})),
    ];
    let response = send_batch(&app, &readings).await.expect(StatusCode::OK);
    assert_eq!(
        statuses(&response),
        ["stored", "rejected", "rejected", "rejected", "stored"]
    );
    assert_eq!(
        (&response["stored"], &response["rejected"]),
        (&json!(2), &json!(3))
    );
    let pointers = |index: usize| -> Vec<&str> {
        let result = &response["results"][index];
        assert!(result.get("data_id").is_none());
        let errors = result["errors"].as_array().unwrap();
        let pointers = errors
            .iter()
            .map(|fault| fault["pointer"].as_str().unwrap());
        pointers.collect()
    };
    assert_eq!(pointers(1), ["/readings/1/colour"]);
    assert_eq!(pointers(2), ["/readings/2/value", "/readings/2/timestamp"]);
    assert_eq!(pointers(3), ["/readings/3"]);
    assert_eq!(
        (app.count("user123").await, app.count("other").await),
        (1, 1)
    );
}

#[tokio::test]
async fn highest_version_of_record_wins() {
    let app = TestApp::start().await;
    let version = |version: u64| {
        example_with(json!({
            "value": version, "client_record_id": "r", "client_record_version": version
        }))
    };
    let response = send_batch(&app, &[version(1), version(3), version(2)]).await;
    let response = response.expect(StatusCode::OK);
    assert_eq!(statuses(&response), ["superseded", "stored", "superseded"]);
    let response = send_batch(&app, &[version(2), version(3)]).await;
    assert_eq!(
        statuses(&response.expect(StatusCode::OK)),
        ["superseded", "stored"]
    );
    let list = app.get("/api/v1/data/user123").await.expect(StatusCode::OK);
    assert_eq!(list["count"], 1);
    assert_eq!(list["data"][0]["value"], 3.0);
}

#[tokio::test]
async fn malformed_batch_is_rejected_entirely() {
    let app = TestApp::start().await;
    for (body, pointer) in [
        (json!({}), "/readings"),
        (json!({"readings": null}), "/readings"),
        (json!({"readings": []}), "/readings"),
        (json!({"readings": {"0": example()}}), "/readings"),
        (json!({"readings": [example()], "more": 1}), "/more"),
        (json!([example()]), ""),
    ] {
        let response = app.post_raw(PATH, body.to_string()).await;
        response.expect_field_errors(&[pointer]);
    }
    app.post_raw(PATH, "{\"readings\":[")
        .await
        .expect_problem(400, "invalid_json");
    assert_eq!(app.count("user123").await, 0);
}

#[tokio::test]
async fn batch_is_limited_to_5000_readings_and_8_mebibytes() {
    let app = TestApp::start().await;
    let mut readings = vec![json!(0); 5_000];
    let response = send_batch(&app, &readings).await.expect(StatusCode::OK);
    assert_eq!(response["rejected"], 5_000);
    readings.push(json!(0));
    send_batch(&app, &readings)
        .await
        .expect_field_errors(&["/readings"]);

    let padded_to = |size: usize| {
        let body = json!({"readings": [example()]}).to_string();
        " ".repeat(size - body.len()) + &body
    };
    let largest = 8 * 1024 * 1024;
    app.post_raw(PATH, padded_to(largest))
        .await
        .expect(StatusCode::OK);
    app.post_raw(PATH, padded_to(largest + 1))
        .await
        .expect_problem(413, "body_too_large");
}

#[tokio::test]
async fn partial_store_failure_is_reported_per_reading() {
    let (store, directory) = FaultyStore::new();
    store.fail_puts_of("steps");
    let store = Arc::new(store);
    let app = TestApp::start_with_store(store.clone(), Some(directory)).await;
    let readings = [
        example(),
        example_with(json!({"data_type": "steps"})),
        json!("no reading"),
    ];
    let response = send_batch(&app, &readings).await;
    assert_eq!(response.headers["retry-after"], "1");
    let problem = response.expect_problem(503, "store_unavailable");
    assert_eq!(statuses(&problem), ["stored", "failed", "rejected"]);
    assert_eq!(app.count("user123").await, 1);

    store.clear_faults();
    let response = send_batch(&app, &readings).await.expect(StatusCode::OK);
    assert_eq!(statuses(&response), ["stored", "stored", "rejected"]);
    assert_eq!(app.count("user123").await, 2);
}

#[tokio::test]
async fn user_named_batch_is_served() {
    let app = TestApp::start().await;
    let reading = example_with(json!({"user_id": "batch"}));
    let stored = app.post(&reading).await.expect(StatusCode::OK);
    assert_eq!(app.count("batch").await, 1);
    let id = stored["data_id"].as_str().unwrap();
    app.get(&format!("/api/v1/data/batch/{id}"))
        .await
        .expect(StatusCode::OK);
    let export = app.get("/api/v1/data/batch/export").await;
    assert_eq!(export.status, StatusCode::OK);
    let erased = app
        .delete("/api/v1/data/batch")
        .await
        .expect(StatusCode::OK);
    assert_eq!(
        erased,
        json!({"success": true, "user_id": "batch", "deleted": 1})
    );
}
