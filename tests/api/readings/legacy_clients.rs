//! Compatibility with clients of the Python service.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{ApiResponse, TestApp};

#[tokio::test]
async fn documented_legacy_bodies_are_accepted() {
    let app = TestApp::start().await;
    for body in [
        // datetime.utcnow().isoformat(), with and without microseconds.
        r#"{"user_id": "test_user_123", "data_type": "heart_rate", "value": 72.5, "timestamp": "2024-01-15T10:30:00.123456", "metadata": {"device": "Apple Watch", "activity": "resting"}}"#,
        r#"{"user_id": "test_user_123", "data_type": "steps", "value": 8500, "timestamp": "2024-01-15T10:30:00", "metadata": {}}"#,
        r#"{"user_id": "test_user_123", "data_type": "sleep_duration", "value": 7.5, "timestamp": "2024-01-15T10:30:00+00:00"}"#,
    ] {
        let stored = app
            .post_raw("/api/v1/data", body)
            .await
            .expect(StatusCode::OK);
        assert_eq!(stored["success"], true);
        assert_eq!(stored["message"], "Health data stored successfully");
        assert!(stored["data_id"].is_string());
    }
    let listed = app.get("/api/v1/data/test_user_123?limit=10").await;
    let listed = listed.expect(StatusCode::OK);
    assert_eq!(listed["count"], 3);
    assert_eq!(
        listed["data"][0]["timestamp"],
        "2024-01-15T10:30:00.123456Z"
    );
    let insight = app
        .post_raw(
            "/api/v1/insights",
            r#"{"user_id": "test_user_123", "query": "How is my heart rate trending?", "include_recent_data": true}"#,
        )
        .await
        .expect(StatusCode::OK);
    assert_eq!(insight["success"], true);
    assert_eq!(insight["error"], json!(null));
    assert!(insight["insight"].as_str().unwrap().contains("72.5"));
    let health = ApiResponse::from_request(app.anonymous(Method::GET, "/health")).await;
    assert_eq!(health.expect(StatusCode::OK)["status"], "healthy");
}

#[tokio::test]
async fn error_detail_is_a_string() {
    let app = TestApp::start().await;
    let response = app.post_raw("/api/v1/data", r#"{"user_id": "u"}"#).await;
    assert!(response.body["detail"].is_string());
}
