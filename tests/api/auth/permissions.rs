//! Authorization: every operation of the OpenAPI document, called by every role.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::api_keys::{SCOPES, entry, entry_until};
use crate::support::app::{ApiResponse, TestApp, example, example_with};
use crate::support::operations::{Operation, operations};

/// A key with full access, for setup.
const FULL: &str = "full-access";

/// A caller and the result it is to receive.
struct Role {
    name: String,
    /// Credential header of its requests.
    header: Option<(&'static str, String)>,
    /// Maps the required scope and the role's name to the expected result.
    expected: fn(&str, &str) -> Expected,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Success,
    Unauthorized,
    Forbidden,
}

fn key_role(name: &str, key: &str, expected: fn(&str, &str) -> Expected) -> Role {
    Role {
        name: name.to_owned(),
        header: Some(("X-API-Key", key.to_owned())),
        expected,
    }
}

fn roles() -> Vec<Role> {
    let mut roles = vec![
        Role {
            name: "none".to_owned(),
            header: None,
            expected: |_, _| Expected::Unauthorized,
        },
        key_role("unknown", "no-such-key", |_, _| Expected::Unauthorized),
        key_role("empty", "", |_, _| Expected::Unauthorized),
        key_role("expired", "expired-key", |_, _| Expected::Unauthorized),
        key_role("not yet expired", "ending-key", |_, _| Expected::Success),
        key_role("for another user", "other-key", |_, _| Expected::Forbidden),
        key_role("for this user", "own-key", |_, _| Expected::Success),
        key_role("for a matching prefix", "prefix-key", |_, _| {
            Expected::Success
        }),
        key_role("for another prefix", "wrong-prefix-key", |_, _| {
            Expected::Forbidden
        }),
    ];
    for scope in SCOPES {
        roles.push(key_role(scope, scope, |scope, name| {
            if scope == name {
                Expected::Success
            } else {
                Expected::Forbidden
            }
        }));
    }
    roles
}

fn keys() -> Value {
    let mut keys = vec![
        entry("full", FULL, &SCOPES, &["*"]),
        entry_until("2024-06-01T12:00:00Z", "expired-key"),
        entry_until("2024-06-01T12:00:01Z", "ending-key"),
        entry("other", "other-key", &SCOPES, &["someone-else", "user12"]),
        entry("own", "own-key", &SCOPES, &["someone-else", "user123"]),
        entry("prefix", "prefix-key", &SCOPES, &["user1*"]),
        entry("wrong-prefix", "wrong-prefix-key", &SCOPES, &["user1234*"]),
    ];
    for scope in SCOPES {
        keys.push(entry(
            scope.split(':').next_back().unwrap(),
            scope,
            &[scope],
            &["*"],
        ));
    }
    Value::Array(keys)
}

async fn start() -> TestApp {
    TestApp::start_with(&[("CLARITY_API_KEYS", &keys().to_string())]).await
}

async fn store(app: &TestApp, reading: &Value) -> ApiResponse {
    let request = app.request_with_key(FULL, Method::POST, "/api/v1/data");
    ApiResponse::from_request(request.json(reading)).await
}

async fn send_as(app: &TestApp, operation: &Operation, role: &Role) -> ApiResponse {
    let mut request = operation.request(app).header("x-request-id", "same");
    if let Some((name, value)) = &role.header {
        request = request.header(*name, value);
    }
    ApiResponse::from_request(request).await
}

/// A rejection does not depend on whether the user has readings.
#[tokio::test]
async fn every_operation_enforces_its_scope() {
    let app = start().await;
    let operations = operations(&app).await;
    let mut private = 0;
    for operation in &operations {
        for role in &roles() {
            let name = format!("{}, key: {}", operation.name, role.name);
            let Some(scope) = &operation.scope else {
                assert!(!operation.name.contains("/api/"), "{name} is public");
                assert_eq!(
                    send_as(&app, operation, role).await.status,
                    StatusCode::OK,
                    "{name}"
                );
                continue;
            };
            private += 1;
            let (status, code) = match (role.expected)(scope, &role.name) {
                Expected::Success => {
                    store(&app, &example()).await.expect(StatusCode::OK);
                    let response = send_as(&app, operation, role).await;
                    assert!(response.status.is_success(), "{name}: {}", response.body);
                    continue;
                }
                Expected::Unauthorized => (401, "unauthorized"),
                Expected::Forbidden => (403, "forbidden"),
            };
            let erased = app.request_with_key(FULL, Method::DELETE, "/api/v1/data/user123");
            ApiResponse::from_request(erased)
                .await
                .expect(StatusCode::OK);
            let unknown = send_as(&app, operation, role).await;
            store(&app, &example()).await.expect(StatusCode::OK);
            let known = send_as(&app, operation, role).await;
            assert_eq!(unknown.body, known.body, "{name}");
            assert_eq!(known.status.as_u16(), status, "{name}");
            known.expect_problem(status, code);
            let remaining = app.request_with_key(FULL, Method::GET, "/api/v1/data/user123");
            let remaining = ApiResponse::from_request(remaining)
                .await
                .expect(StatusCode::OK);
            assert_eq!(remaining["count"], 1, "{name}");
        }
    }
    assert!(private >= 9 * roles().len(), "{private}");
}

/// Ownership is checked before anything is stored.
#[tokio::test]
async fn batch_with_a_foreign_reading_is_rejected_entirely() {
    let app = start().await;
    let own = example();
    let others = example_with(json!({"user_id": "user124"}));
    let send = async |readings: &[&Value]| {
        let request = app.request_with_key("own-key", Method::POST, "/api/v1/data/batch");
        ApiResponse::from_request(request.json(&json!({ "readings": readings }))).await
    };
    let mut bad = example_with(json!({"user_id": "user124"}));
    bad["value"] = json!("none");
    for readings in [
        &[&own, &others][..],
        &[&own, &bad],
        &[&others, &own],
        &[&own, &own, &others, &own],
    ] {
        send(readings).await.expect_problem(403, "forbidden");
    }
    for user_id in ["user123", "user124"] {
        let path = format!("/api/v1/data/{user_id}");
        let listed =
            ApiResponse::from_request(app.request_with_key(FULL, Method::GET, &path)).await;
        assert_eq!(listed.expect(StatusCode::OK)["count"], 0);
    }
    assert_eq!(
        send(&[&own, &own]).await.expect(StatusCode::OK)["stored"],
        2
    );
}

/// `batch` is both a route and a valid user id.
#[tokio::test]
async fn user_named_like_a_route_is_protected() {
    let app = start().await;
    for method in [Method::GET, Method::DELETE] {
        let send_as = async |key: &str| {
            ApiResponse::from_request(app.request_with_key(
                key,
                method.clone(),
                "/api/v1/data/batch",
            ))
            .await
        };
        send_as("own-key").await.expect_problem(403, "forbidden");
        send_as("insights").await.expect_problem(403, "forbidden");
        send_as(FULL).await.expect(StatusCode::OK);
    }
}
