//! Audit log: every access to readings is logged, independently of `RUST_LOG`.

use serde_json::json;

use crate::service::{Service, client};

/// Returns the value of a field in a line of the log.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    let value = rest.split(' ').next().unwrap();
    Some(value.trim_matches('"'))
}

#[tokio::test]
async fn access_is_audited_with_principal_user_route_result_and_count() {
    let directory = tempfile::tempdir().unwrap();
    let reader = clarity_backend::auth::KeyDigest::from_key(b"reader-key");
    let keys = format!(
        r#"[{{"id":"reader","sha256":"{reader}","scopes":["data:read"],"users":["jane"]}}]"#
    );
    let service = Service::start(
        directory.path(),
        &[
            ("RUST_LOG", "error"),
            ("CLARITY_API_KEY", "development-key"),
            ("CLARITY_API_KEYS", &keys),
        ],
    );
    let reading = |user: &str, value| {
        let timestamp = "2024-01-15T10:30:00Z";
        json!({"user_id": user, "data_type": "steps", "value": value, "timestamp": timestamp})
    };
    let batch = [reading("jane", 1), reading("jane", 2), reading("john", 3)];
    let request = async |method: &str, path: &str, key: &str| {
        let request = client()
            .request(method.parse().unwrap(), format!("{}{path}", service.url))
            .header("X-API-Key", key)
            .header("x-request-id", format!("id-of-{method}-{key}"));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        response.bytes().await.unwrap();
        status
    };
    let (shared_key, reader_key) = ("development-key", "reader-key");
    let stored = service.post("/api/v1/data", &reading("jane", 0)).await;
    assert_eq!(stored.0, 200);
    let stored = service
        .post("/api/v1/data/batch", &json!({"readings": batch}))
        .await;
    assert_eq!(stored.0, 200);
    let question = json!({"user_id": "jane", "query": "How many?"});
    assert_eq!(service.post("/api/v1/insights", &question).await.0, 200);
    for (method, path, key, status) in [
        ("GET", "/api/v1/data/jane", reader_key, 200),
        ("GET", "/api/v1/data/john", reader_key, 403),
        ("DELETE", "/api/v1/data/jane", reader_key, 403),
        ("GET", "/api/v1/data/jane/export", shared_key, 200),
        ("GET", "/api/v1/data/jane/summary", shared_key, 200),
        ("GET", "/api/v1/data/jane?limit=0", shared_key, 422),
        ("DELETE", "/api/v1/data/john", shared_key, 200),
        ("GET", "/api/v1/data/jane", "no-key", 401),
        ("GET", "/health", shared_key, 200),
    ] {
        assert_eq!(request(method, path, key).await, status, "{method} {path}");
    }
    let (_, log) = service.stop("TERM");
    let mut found: Vec<_> = Vec::new();
    let mut pseudonyms = std::collections::BTreeMap::new();
    for line in log.lines() {
        let value = |name| field(line, name).unwrap_or("-");
        assert_ne!(value("request_id"), "-", "{line}");
        let route = value("route").trim_start_matches("/api/v1/");
        // Numbers pseudonyms in the order of their first occurrence.
        let user = field(line, "user").map_or(0, |user| {
            assert_eq!(user.len(), 32, "{line}");
            let next = pseudonyms.len() + 1;
            *pseudonyms.entry(user.to_owned()).or_insert(next)
        });
        found.push((
            value("principal"),
            user,
            value("method"),
            route,
            value("result"),
            value("status"),
            value("count"),
        ));
    }
    // A batch has an event for each user, in no particular order.
    found[1..3].sort();
    let (jane, john) = (1, 2);
    assert_eq!(
        found,
        [
            ("shared-key", jane, "POST", "data", "allowed", "200", "1"),
            (
                "shared-key",
                jane,
                "POST",
                "data/batch",
                "allowed",
                "200",
                "2"
            ),
            (
                "shared-key",
                john,
                "POST",
                "data/batch",
                "allowed",
                "200",
                "1"
            ),
            (
                "shared-key",
                jane,
                "POST",
                "insights",
                "allowed",
                "200",
                "3"
            ),
            (
                "reader",
                jane,
                "GET",
                "data/{user_id}",
                "allowed",
                "200",
                "3"
            ),
            (
                "reader",
                john,
                "GET",
                "data/{user_id}",
                "refused",
                "403",
                "0"
            ),
            (
                "reader",
                0,
                "DELETE",
                "data/{user_id}",
                "refused",
                "403",
                "0"
            ),
            (
                "shared-key",
                jane,
                "GET",
                "data/{user_id}/export",
                "allowed",
                "200",
                "3"
            ),
            (
                "shared-key",
                jane,
                "GET",
                "data/{user_id}/summary",
                "allowed",
                "200",
                "0"
            ),
            (
                "shared-key",
                jane,
                "GET",
                "data/{user_id}",
                "failed",
                "422",
                "0"
            ),
            (
                "shared-key",
                john,
                "DELETE",
                "data/{user_id}",
                "allowed",
                "200",
                "1"
            ),
        ]
    );
    assert!(!log.contains("jane") && !log.contains("john"), "{log}");
}
