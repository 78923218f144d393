//! Erasure of all readings of a user.

use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::app::{TestApp, example_with};
use crate::support::faulty_store::FaultyStore;

async fn check_erasure(app: &TestApp) {
    let readings: Vec<_> = (0..700)
        .map(|value| example_with(json!({"value": value})))
        .chain([example_with(json!({"user_id": "user1234"}))])
        .collect();
    let body = json!({"readings": readings}).to_string();
    app.post_raw("/api/v1/data/batch", body)
        .await
        .expect(StatusCode::OK);

    for deleted in [700, 0] {
        let response = app
            .delete("/api/v1/data/user123")
            .await
            .expect(StatusCode::OK);
        assert_eq!(
            response,
            json!({"success": true, "user_id": "user123", "deleted": deleted})
        );
        assert_eq!(app.count("user123").await, 0);
        let of_type = app.get("/api/v1/data/user123?data_type=heart_rate").await;
        assert_eq!(of_type.expect(StatusCode::OK)["count"], 0);
    }
    assert_eq!(
        app.count("user1234").await,
        1,
        "another user's readings stay"
    );

    app.post(&readings[0]).await.expect(StatusCode::OK);
    assert_eq!(
        app.count("user123").await,
        1,
        "the user id can be used again"
    );
}

#[tokio::test]
async fn erasure_removes_all_readings_of_one_user() {
    check_erasure(&TestApp::start().await).await;
}

#[tokio::test]
async fn erasure_removes_all_readings_of_one_user_on_dynamodb() {
    check_erasure(&TestApp::start_on_dynamodb().await).await;
}

#[tokio::test]
async fn erasure_of_invalid_user_id_is_rejected() {
    let app = TestApp::start().await;
    app.delete("/api/v1/data/-a")
        .await
        .expect_field_errors(&["/user_id"]);
}

#[tokio::test]
async fn slow_erasure_returns_202_and_resumes() {
    let (store, directory) = FaultyStore::new();
    store.make_erasures_endless();
    let store = Arc::new(store);
    let app = TestApp::start_with_store(store.clone(), Some(directory)).await;
    // The paused clock advances whenever all tasks are idle.
    tokio::time::pause();
    let response = app.delete("/api/v1/data/user123").await;
    tokio::time::resume();
    assert_eq!(response.headers["retry-after"], "1");
    let body = response.expect(StatusCode::ACCEPTED);
    // Each part deletes 100 readings in 5 s, and the request stops after 20 s.
    assert_eq!(
        body,
        json!({"success": true, "user_id": "user123", "deleted": 400})
    );
    store.clear_faults();
    app.delete("/api/v1/data/user123")
        .await
        .expect(StatusCode::OK);
}
