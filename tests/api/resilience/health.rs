//! Liveness, readiness, request ids and panics.

use std::sync::Arc;

use clarity_backend::domain::{ListQuery, Page, Reading, ReadingId, UserId};
use clarity_backend::store::{
    BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError,
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::app::{ApiResponse, TestApp, connect_store, example};
use crate::support::dynamodb_local::DynamoDbLocal;

#[tokio::test]
async fn service_with_store_is_alive_and_ready() {
    let app = TestApp::start().await;
    let alive = ApiResponse::from_request(app.anonymous(Method::GET, "/health")).await;
    assert_eq!(
        alive.expect(StatusCode::OK),
        json!({
            "status": "healthy",
            "service": "clarity-backend",
            "environment": "development",
            "version": env!("CARGO_PKG_VERSION")
        })
    );
    let ready = ApiResponse::from_request(app.anonymous(Method::GET, "/health/ready")).await;
    assert_eq!(
        ready.expect(StatusCode::OK),
        json!({"status": "ready", "checks": {"store": "ok", "api_keys": "ok"}})
    );
}

async fn expect_alive_but_not_ready(app: &TestApp) {
    let alive = ApiResponse::from_request(app.anonymous(Method::GET, "/health")).await;
    assert_eq!(alive.status, StatusCode::OK);
    let ready = ApiResponse::from_request(app.anonymous(Method::GET, "/health/ready")).await;
    assert_eq!(
        ready.expect(StatusCode::SERVICE_UNAVAILABLE),
        json!({"status": "not_ready", "checks": {"store": "failing", "api_keys": "ok"}})
    );
}

#[tokio::test]
async fn service_without_table_is_alive_but_not_ready() {
    let app = TestApp::start_with_store(
        Arc::new(connect_store(DynamoDbLocal::shared().endpoint()).await),
        None,
    )
    .await;
    expect_alive_but_not_ready(&app).await;
    let problem = app
        .post(&example())
        .await
        .expect_problem(500, "internal_error");
    assert!(!problem.to_string().contains("readings-"));
}

#[tokio::test]
async fn unreachable_database_returns_503_with_retry_after() {
    // Bound without listening, which reserves a port that refuses connections.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let app = TestApp::start_with_store(Arc::new(connect_store(&endpoint).await), None).await;
    expect_alive_but_not_ready(&app).await;
    let response = app.post(&example()).await;
    assert_eq!(response.headers["retry-after"], "1");
    response.expect_problem(503, "store_unavailable");
}

#[tokio::test]
async fn valid_client_request_id_is_echoed() {
    let app = TestApp::start().await;
    let longest = "x".repeat(128);
    for own in ["my-id:1", &longest] {
        let request = app
            .anonymous(Method::GET, "/health")
            .header("x-request-id", own);
        assert_eq!(
            ApiResponse::from_request(request).await.headers["x-request-id"],
            own
        );
    }
    let too_long = "x".repeat(129);
    for unfit in ["", "with space", &too_long] {
        let request = app
            .anonymous(Method::GET, "/health")
            .header("x-request-id", unfit);
        let id = ApiResponse::from_request(request).await.headers["x-request-id"].clone();
        assert_eq!(
            id.to_str()
                .unwrap()
                .parse::<uuid::Uuid>()
                .unwrap()
                .get_version_num(),
            4
        );
    }
}

/// A store that panics in every operation except the readiness check.
struct Panicking;

#[async_trait::async_trait]
impl ReadingStore for Panicking {
    async fn put(&self, _: Reading) -> Result<PutResult, StoreError> {
        panic!("canary")
    }
    async fn put_many(&self, _: DistinctReadings) -> Vec<Result<BatchPutStatus, StoreError>> {
        panic!("canary")
    }
    async fn get(&self, _: &UserId, _: ReadingId) -> Result<Option<Reading>, StoreError> {
        panic!("canary")
    }
    async fn erase_part(&self, _: &UserId) -> Result<Erasure, StoreError> {
        panic!("canary")
    }
    async fn delete(&self, _: &UserId, _: ReadingId) -> Result<bool, StoreError> {
        panic!("canary")
    }
    async fn list(&self, _: &ListQuery) -> Result<Page, StoreError> {
        panic!("canary")
    }
    async fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn panic_returns_internal_error() {
    let app = TestApp::start_with_store(Arc::new(Panicking), None).await;
    for _ in 0..2 {
        let response = app.post(&example()).await;
        let problem = response.expect_problem(500, "internal_error");
        assert!(!problem.to_string().contains("canary"));
    }
    let alive = ApiResponse::from_request(app.anonymous(Method::GET, "/health")).await;
    assert_eq!(alive.status, StatusCode::OK);
}
