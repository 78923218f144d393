//! Authentication by API key.

use reqwest::Method;

use crate::support::app::{ApiResponse, TestApp, example};

const READING: &str = "/api/v1/data/user123/018d0cab-c440-85d0-a3ae-7ec39b0fdb2e";

#[tokio::test]
async fn requests_without_valid_key_are_rejected() {
    let app = TestApp::start().await;
    app.post(&example()).await;
    for (method, path) in [
        (Method::POST, "/api/v1/data"),
        (Method::GET, "/api/v1/data/user123"),
        (Method::GET, READING),
        (Method::DELETE, READING),
        (Method::POST, "/api/v1/insights"),
        (Method::GET, "/api/v1/anything"),
        (Method::PUT, "/api/v1/data"),
        (Method::PATCH, READING),
    ] {
        let mut bodies = Vec::new();
        for key in [
            None,
            Some(""),
            Some("development-ke"),
            Some("development-key2"),
        ] {
            let mut request = app
                .anonymous(method.clone(), path)
                .header("x-request-id", "same");
            if let Some(key) = key {
                request = request.header("X-API-Key", key);
            }
            let response = ApiResponse::from_request(request).await;
            assert!(response.headers.contains_key("www-authenticate"));
            bodies.push(response.expect_problem(401, "unauthorized"));
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    }
    assert_eq!(app.count("user123").await, 1);
}

#[tokio::test]
async fn repeated_key_header_is_rejected() {
    let app = TestApp::start().await;
    let request = app
        .request(Method::GET, "/api/v1/data/user123")
        .header("X-API-Key", "development-key");
    ApiResponse::from_request(request)
        .await
        .expect_problem(401, "unauthorized");
}

#[tokio::test]
async fn key_is_checked_before_body() {
    let app = TestApp::start().await;
    let request = app.anonymous(Method::POST, "/api/v1/data").body("not JSON");
    ApiResponse::from_request(request)
        .await
        .expect_problem(401, "unauthorized");
}
