//! Rate limits per principal and per client IP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::api_keys::{SCOPES, entry};
use crate::support::app::{ApiResponse, TestApp, example};

/// Starts an app with low limits and two principals, one with two keys.
async fn start(extra: &[(&str, &str)]) -> TestApp {
    let keys = Value::from_iter([
        entry("app", "old", &SCOPES, &["*"]),
        entry("app", "new", &SCOPES, &["*"]),
        entry("other", "other", &SCOPES, &["*"]),
    ]);
    let keys = keys.to_string();
    let mut variables = vec![
        ("CLARITY_API_KEYS", &*keys),
        ("RATE_LIMIT_READS", "2"),
        ("RATE_LIMIT_WRITES", "3"),
        ("RATE_LIMIT_INSIGHTS", "1"),
    ];
    variables.extend(extra);
    TestApp::start_with(&variables).await
}

async fn list(app: &TestApp, key: &str) -> ApiResponse {
    ApiResponse::from_request(app.request_with_key(key, Method::GET, "/api/v1/data/user123")).await
}

/// Checks that the response is a 429 with the headers of this policy.
#[track_caller]
fn expect_rate_limited(response: ApiResponse, policy: &str) {
    let header = |name: &str| response.headers[name].to_str().unwrap().to_owned();
    let seconds = header("retry-after");
    let wait: u64 = seconds.parse().unwrap();
    assert!((1..=60).contains(&wait), "{seconds}");
    assert_eq!(header("ratelimit-policy"), policy);
    let name = policy.split(';').next().unwrap();
    assert_eq!(header("ratelimit"), format!("{name};r=0;t={seconds}"));
    response.expect_problem(429, "too_many_requests");
}

#[tokio::test]
async fn limits_apply_per_principal_and_bucket() {
    let app = start(&[]).await;
    // Keys with the same id share one principal.
    list(&app, "old").await.expect(StatusCode::OK);
    list(&app, "new").await.expect(StatusCode::OK);
    expect_rate_limited(list(&app, "old").await, "\"reads\";q=2;w=60");
    expect_rate_limited(list(&app, "new").await, "\"reads\";q=2;w=60");
    list(&app, "other").await.expect(StatusCode::OK);

    let batch = json!({"readings": [example(), example(), example(), example()]});
    let write = async || {
        let request = app.request_with_key("old", Method::POST, "/api/v1/data/batch");
        ApiResponse::from_request(request.json(&batch)).await
    };
    write().await.expect(StatusCode::OK);
    write().await.expect(StatusCode::OK);
    let erased = app.request_with_key("old", Method::DELETE, "/api/v1/data/user123");
    ApiResponse::from_request(erased)
        .await
        .expect(StatusCode::OK);
    expect_rate_limited(write().await, "\"writes\";q=3;w=60");

    let ask = async || {
        let request = app.request_with_key("old", Method::POST, "/api/v1/insights");
        ApiResponse::from_request(request.json(&json!({"user_id": "user123", "query": "How?"})))
            .await
    };
    ask().await.expect(StatusCode::OK);
    expect_rate_limited(ask().await, "\"insights\";q=1;w=60");
    let health = ApiResponse::from_request(app.anonymous(Method::GET, "/health")).await;
    health.expect(StatusCode::OK);
}

#[tokio::test]
async fn failed_authentications_are_limited_per_client_ip() {
    let app = start(&[
        ("RATE_LIMIT_FAILED_AUTHENTICATIONS", "2"),
        ("TRUSTED_PROXIES", "127.0.0.0/8"),
    ])
    .await;
    let fail = async |forwarded_for: &str| {
        let request = app.request_with_key("wrong", Method::GET, "/api/v1/data/user123");
        ApiResponse::from_request(request.header("X-Forwarded-For", forwarded_for)).await
    };
    let policy = "\"failed-authentications\";q=2;w=60";
    for spoofed in ["1.1.1.1", "2.2.2.2"] {
        let chain = format!("{spoofed}, 192.0.2.1");
        fail(&chain).await.expect_problem(401, "unauthorized");
    }
    expect_rate_limited(fail("3.3.3.3, 192.0.2.1").await, policy);
    fail("192.0.2.2").await.expect_problem(401, "unauthorized");
    let valid = app
        .request_with_key("old", Method::GET, "/api/v1/data/user123")
        .header("X-Forwarded-For", "192.0.2.1");
    ApiResponse::from_request(valid)
        .await
        .expect(StatusCode::OK);
}

#[tokio::test]
async fn forwarded_for_from_untrusted_peer_is_ignored() {
    let app = start(&[("RATE_LIMIT_FAILED_AUTHENTICATIONS", "1")]).await;
    let fail = async |forwarded_for: &str| {
        let request = app.anonymous(Method::GET, "/api/v1/data/user123");
        ApiResponse::from_request(request.header("X-Forwarded-For", forwarded_for)).await
    };
    fail("192.0.2.1").await.expect_problem(401, "unauthorized");
    expect_rate_limited(
        fail("192.0.2.2").await,
        "\"failed-authentications\";q=1;w=60",
    );
}
