//! CORS and security headers.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};

use crate::support::app::{ApiResponse, TestApp};
use crate::support::operations::operations;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Starts a production configuration over the embedded store.
async fn start_production(origins: &str) -> TestApp {
    TestApp::start_with(&[
        ("ENVIRONMENT", "production"),
        ("CLARITY_STORE", "embedded"),
        ("CLARITY_API_KEY", KEY),
        ("CORS_ALLOWED_ORIGINS", origins),
    ])
    .await
}

async fn preflight(app: &TestApp, origin: &str) -> HeaderMap {
    let request = app
        .anonymous(Method::OPTIONS, "/api/v1/data")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "x-api-key,content-type");
    ApiResponse::from_request(request).await.headers
}

async fn allowed_origin(app: &TestApp, origin: &str) -> Option<String> {
    let preflight_headers = preflight(app, origin).await;
    let request = app
        .request_with_key(KEY, Method::GET, "/api/v1/data/user123")
        .header("Origin", origin);
    let response_headers = ApiResponse::from_request(request).await.headers;
    for headers in [&preflight_headers, &response_headers] {
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }
    let allowed = preflight_headers.get("access-control-allow-origin");
    assert_eq!(allowed, response_headers.get("access-control-allow-origin"));
    allowed.map(|origin| origin.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn development_allows_only_pages_of_this_machine() {
    let app = TestApp::start().await;
    let origin = "http://localhost:3000";
    for good in [
        origin,
        "http://localhost",
        "https://localhost:5173",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://app.localhost:3000",
    ] {
        assert_eq!(allowed_origin(&app, good).await.as_deref(), Some(good));
    }
    for bad in [
        "null",
        "*",
        "https://evil.example",
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://evillocalhost:3000",
        "http://LOCALHOST:3000",
        "http://localhost@evil.example",
        "http://localhost:80",
        "http://localhost:3000/",
        "http://localhost.",
        "http://127.0.0.1.evil.example",
        "http://127.1",
        "http://0.0.0.0:3000",
        "http://[::]:3000",
        "http://192.168.0.1",
        "ws://localhost:3000",
        "file://localhost",
        "localhost",
    ] {
        assert_eq!(allowed_origin(&app, bad).await, None, "{bad}");
    }
    let headers = preflight(&app, origin).await;
    let header = |name: &str| headers[name].to_str().unwrap().to_ascii_lowercase();
    for name in ["x-api-key", "authorization", "content-type"] {
        assert!(header("access-control-allow-headers").contains(name));
    }
    for method in ["get", "post", "delete"] {
        assert!(header("access-control-allow-methods").contains(method));
    }
    // A page must be able to read an error and its request id.
    let rejected = app
        .anonymous(Method::GET, "/api/v1/data/user123")
        .header("Origin", origin);
    let rejected = ApiResponse::from_request(rejected).await;
    assert_eq!(rejected.status, StatusCode::UNAUTHORIZED);
    assert_eq!(rejected.headers["access-control-allow-origin"], origin);
    let exposed = rejected.headers["access-control-expose-headers"].to_str();
    assert!(exposed.unwrap().contains("x-request-id"));
}

#[tokio::test]
async fn production_allows_only_configured_origins() {
    let app = start_production("").await;
    assert_eq!(allowed_origin(&app, "https://app.example.com").await, None);
    let app = start_production("https://app.example.com,https://www.example.com").await;
    for good in ["https://app.example.com", "https://www.example.com"] {
        assert_eq!(allowed_origin(&app, good).await.as_deref(), Some(good));
    }
    for bad in [
        "https://evil.example.com",
        "http://app.example.com",
        "https://app.example.com.evil.org",
        "null",
    ] {
        assert_eq!(allowed_origin(&app, bad).await, None, "{bad}");
    }
}

#[tokio::test]
async fn every_response_forbids_caching_and_sniffing() {
    for (app, is_production) in [
        (TestApp::start().await, false),
        (start_production("").await, true),
    ] {
        let key = if is_production {
            KEY
        } else {
            "development-key"
        };
        for operation in operations(&app).await {
            for request in [
                operation.request(&app),
                operation.request(&app).header("X-API-Key", key),
            ] {
                let headers = ApiResponse::from_request(request).await.headers;
                assert_eq!(headers["cache-control"], "no-store", "{}", operation.name);
                assert_eq!(headers["x-content-type-options"], "nosniff");
                let secure = headers.get("strict-transport-security");
                assert_eq!(secure.is_some(), is_production);
            }
        }
        let missing = ApiResponse::from_request(app.anonymous(Method::GET, "/no-such-path")).await;
        assert_eq!(missing.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn docs_page_policy_allows_only_own_resources() {
    let app = TestApp::start().await;
    let page = ApiResponse::from_request(app.anonymous(Method::GET, "/docs/")).await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    for part in policy.split(';') {
        assert!(!part.contains("http") && !part.contains('*'), "{part}");
        assert!(
            !part.contains("script-src") || !part.contains("unsafe"),
            "{part}"
        );
    }
    assert!(policy.contains("frame-ancestors 'none'"));
}
