//! Storing, reading and deleting single readings.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{NOW, TestApp, example, example_with};

#[tokio::test]
async fn stored_reading_is_read_back() {
    let app = TestApp::start().await;
    let stored = app.post(&example()).await.expect(StatusCode::OK);
    let id = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e";
    assert_eq!(
        stored,
        json!({
            "success": true,
            "message": "Health data stored successfully",
            "data_id": id,
            "data": {
                "data_id": id,
                "user_id": "user123",
                "data_type": "heart_rate",
                "value": 72.0,
                "timestamp": "2024-01-15T10:30:00Z",
                "metadata": {"device": "watch"},
                "created_at": "2024-06-01T12:00:00.000Z"
            },
            "result": "stored"
        })
    );
    let found = app.get(&format!("/api/v1/data/user123/{id}")).await;
    assert_eq!(
        found.expect(StatusCode::OK),
        json!({"success": true, "data": stored["data"]})
    );
}

#[tokio::test]
async fn all_optional_members_are_returned() {
    let app = TestApp::start().await;
    let members = json!({
        "value": 0.1,
        "unit": "mg/dL",
        "timestamp": "2024-01-15T10:30:00.500+05:30",
        "metadata": {
            "list": [1, 2.5, null, true, "é \u{1F600}"],
            "large": 18_446_744_073_709_551_615_u64,
            "small": 1e-9,
            "empty": {}
        },
        "client_record_id": "record/1",
        "client_record_version": 9_007_199_254_740_991_u64
    });
    let stored = app.post(&example_with(members.clone())).await;
    let stored = stored.expect(StatusCode::OK);
    for (name, value) in members.as_object().unwrap() {
        assert_eq!(&stored["data"][name], value, "{name}");
    }
}

#[tokio::test]
async fn null_optional_member_counts_as_absent() {
    let app = TestApp::start().await;
    let nulls = json!({
        "unit": null, "metadata": null, "client_record_id": null, "client_record_version": null
    });
    let stored = app.post(&example_with(nulls)).await.expect(StatusCode::OK);
    assert_eq!(stored["data"]["metadata"], json!({}));
    assert!(stored["data"].get("unit").is_none());
}

#[tokio::test]
async fn timestamp_up_to_a_day_ahead_is_accepted() {
    let app = TestApp::start().await;
    for timestamp in [NOW, "2024-06-02T12:00:00Z", "1970-01-01T00:00:00Z"] {
        let stored = app
            .post(&example_with(json!({"timestamp": timestamp})))
            .await;
        assert_eq!(
            stored.expect(StatusCode::OK)["data"]["timestamp"],
            timestamp
        );
    }
}

#[tokio::test]
async fn replayed_reading_is_stored_once() {
    let app = TestApp::start().await;
    let first = app.post(&example()).await.expect(StatusCode::OK);
    let same = example_with(json!({
        "value": 72.0, "timestamp": "2024-01-15T12:30:00+02:00", "metadata": {"device": "watch"}
    }));
    assert_eq!(app.post(&same).await.expect(StatusCode::OK), first);
    assert_eq!(app.count("user123").await, 1);
    let other = example_with(json!({"value": 73}));
    app.post(&other).await.expect(StatusCode::OK);
    assert_eq!(app.count("user123").await, 2);
}

#[tokio::test]
async fn higher_version_replaces_client_record() {
    let app = TestApp::start().await;
    let version = |version: u64, value: u64| {
        example_with(json!({
            "client_record_id": "r", "client_record_version": version, "value": value
        }))
    };
    let first = app.post(&version(1, 60)).await.expect(StatusCode::OK);
    let second = app.post(&version(2, 61)).await.expect(StatusCode::OK);
    assert_eq!(first["data_id"], second["data_id"]);
    assert_eq!(second["data"]["value"], 61.0);
    let late = app.post(&version(1, 60)).await.expect(StatusCode::OK);
    assert_eq!(late["result"], "superseded");
    assert_eq!(late["data"], second["data"]);
    let equal = app.post(&version(2, 62)).await.expect(StatusCode::OK);
    assert_eq!(
        (&equal["result"], &equal["data"]["value"]),
        (&json!("stored"), &json!(62.0))
    );
    assert_eq!(app.count("user123").await, 1);
}

#[tokio::test]
async fn version_with_zero_fraction_is_accepted() {
    let app = TestApp::start().await;
    let members = json!({"client_record_id": "r", "client_record_version": 3.0});
    let stored = app.post(&example_with(members)).await;
    let stored = stored.expect(StatusCode::OK);
    assert_eq!(stored["data"]["client_record_version"], json!(3));
}

#[tokio::test]
async fn deleted_reading_is_not_found() {
    let app = TestApp::start().await;
    let stored = app.post(&example()).await.expect(StatusCode::OK);
    let path = format!(
        "/api/v1/data/user123/{}",
        stored["data_id"].as_str().unwrap()
    );
    let deleted = app.delete(&path).await.expect(StatusCode::OK);
    assert_eq!(deleted, json!({"success": true, "deleted": 1}));
    app.delete(&path)
        .await
        .expect_problem(404, "reading_not_found");
    app.get(&path)
        .await
        .expect_problem(404, "reading_not_found");
    assert_eq!(app.count("user123").await, 0);
}

#[tokio::test]
async fn reading_of_another_user_is_not_found() {
    let app = TestApp::start().await;
    let stored = app.post(&example()).await.expect(StatusCode::OK);
    let path = format!(
        "/api/v1/data/user124/{}",
        stored["data_id"].as_str().unwrap()
    );
    app.get(&path)
        .await
        .expect_problem(404, "reading_not_found");
    app.delete(&path)
        .await
        .expect_problem(404, "reading_not_found");
    assert_eq!(app.count("user123").await, 1);
}
