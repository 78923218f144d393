//! No personal data reaches the log, not even with `RUST_LOG=trace`.

use reqwest::StatusCode;
use serde_json::json;

use crate::fake_gemini::{FakeGemini, KEY, Scripted, errors};
use crate::service::{Service, client};
use crate::token_issuer::{TokenIssuer, header, token};

#[tokio::test]
async fn client_input_is_never_logged() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[("RUST_LOG", "trace")]);
    let reading = json!({
        "user_id": "canary-user",
        "data_type": "canary_type",
        "value": 424_242.5,
        "timestamp": "2011-11-11T11:11:11Z",
        "unit": "canary-unit",
        "metadata": {
            "canary-name": "canary-text", "unit": "canary-unit-tag", "source": "canary-source",
            "device": "canary-device", "granularity": "canary-granularity"
        },
        "client_record_id": "canary-record"
    });
    let (status, stored) = service.post("/api/v1/data", &reading).await;
    assert_eq!(status, 200);
    let id = stored["data_id"].as_str().unwrap();
    let mut invalid = reading.clone();
    invalid["value"] = json!("canary-value");
    assert_eq!(service.post("/api/v1/data", &invalid).await.0, 422);
    invalid["canary-member"] = json!(1);
    assert_eq!(service.post("/api/v1/data", &invalid).await.0, 422);
    for (path, status) in [
        ("/api/v1/data/canary-user", 200),
        ("/api/v1/data/canary-user?start=2011-11-11T11:11:11Z", 200),
        ("/api/v1/data/canary-user?canary=1", 422),
        ("/api/v1/data/canary-user?cursor=canary", 422),
        ("/api/v1/data/canary%2Fuser", 422),
        ("/canary", 404),
        (&format!("/api/v1/data/canary-user/{id}"), 200),
    ] {
        assert_eq!(service.get(path).await.0, status, "{path}");
    }
    let batch = json!({"readings": [&reading, &invalid, {"user_id": "canary-2"}]});
    assert_eq!(service.post("/api/v1/data/batch", &batch).await.0, 200);
    for (path, status) in [
        ("/api/v1/data/canary-user/export", 200),
        ("/api/v1/data/canary-user/export?data_type=canary_type", 200),
        (
            "/api/v1/data/canary-user/summary?start=2011-11-11T00:00:00Z",
            200,
        ),
        ("/api/v1/data/canary-user/summary?tz=canary", 422),
    ] {
        let url = format!("{}{path}", service.url);
        let response = client()
            .get(url)
            .header("X-API-Key", "development-key")
            .send()
            .await;
        let response = response.unwrap();
        assert_eq!(response.status(), status, "{path}");
        response.bytes().await.unwrap();
    }
    for (header, value) in [
        ("X-API-Key", "canary-key"),
        ("Authorization", "Bearer canary-token"),
        ("Authorization", "canary-scheme"),
        ("X-Forwarded-For", "canary-address"),
        ("Origin", "http://canary.example.com"),
        ("User-Agent", "canary-agent"),
        ("Accept", "canary/type"),
    ] {
        let url = format!("{}/api/v1/data/canary-user", service.url);
        let refused = client()
            .get(url)
            .header(header, value)
            .send()
            .await
            .unwrap();
        assert_eq!(refused.status(), 401, "{header}");
    }
    for path in [
        &*format!("/api/v1/data/canary-user/{id}"),
        "/api/v1/data/canary-user",
    ] {
        let url = format!("{}{path}", service.url);
        let erased = client()
            .delete(url)
            .header("X-API-Key", "development-key")
            .send()
            .await;
        assert_eq!(erased.unwrap().status(), 200, "{path}");
    }
    let question = json!({"user_id": "canary-user", "query": "canary-question"});
    assert_eq!(service.post("/api/v1/insights", &question).await.0, 200);
    let (_, log) = service.stop("TERM");
    for part in ["request_id", "principal", "user=", "result=\"allowed\""] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    for secret in ["canary", "424242", "2011-11-11", id, "development-key"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn gemini_requests_and_responses_are_never_logged() {
    let gemini = FakeGemini::start().await;
    let base_url = gemini.base_url();
    let directory = tempfile::tempdir().unwrap();
    let settings = [
        ("RUST_LOG", "trace"),
        ("GEMINI_API_KEY", KEY),
        ("GEMINI_BASE_URL", base_url.as_str()),
    ];
    let service = Service::start(directory.path(), &settings);
    let reading = json!({
        "user_id": "canary-user",
        "data_type": "heart_rate",
        "value": 142.5,
        "timestamp": "2011-11-11T11:11:11Z",
        "metadata": {"source": "canary-source"},
    });
    assert_eq!(service.post("/api/v1/data", &reading).await.0, 200);
    let refusal = errors::body(400, "INVALID_ARGUMENT", "canary-message");
    let unverified = json!({
        "findings": [{"text": "canary-finding of 142.5", "fact_ids": ["canary-id"]}],
        "recommendations": [],
    });
    gemini
        .enqueue(Scripted::error(StatusCode::BAD_REQUEST, refusal))
        .enqueue(Scripted::reply("canary-prose"))
        .enqueue(Scripted::reply(&unverified.to_string()))
        .enqueue(Scripted::error(StatusCode::FORBIDDEN, json!("canary-text")));
    let question = json!({"user_id": "canary-user", "query": "heart rate canary-question"});
    for _ in 0..3 {
        let (status, response) = service.post("/api/v1/insights", &question).await;
        assert_eq!(
            (status.as_u16(), &response["status"]),
            (200, &json!("fallback"))
        );
    }
    assert_eq!(gemini.remaining(), 0);
    let (_, log) = service.stop("TERM");
    assert!(
        log.contains("gemini_failed") && log.contains("unverified"),
        "{log}"
    );
    let authority = base_url.authority();
    for secret in [
        "canary",
        "142.5",
        "2011-11-11",
        KEY,
        authority,
        "http://127",
    ] {
        let line = log
            .lines()
            .find(|line| line.contains(secret) && !line.contains("serving"));
        assert_eq!(line, None, "{secret}");
    }
}

/// The subject of a token identifies a person.
#[tokio::test]
async fn token_contents_are_never_logged() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = TokenIssuer::start().await;
    let service = Service::start(
        directory.path(),
        &[
            ("RUST_LOG", "trace"),
            ("JWT_ISSUER", "https://login.example.com"),
            ("JWT_AUDIENCE", "clarity"),
            ("JWKS_URL", &issuer.key_set_url()),
        ],
    );
    let claims = |subject: &str, aud: &str| {
        json!({
            "iss": "https://login.example.com", "sub": subject, "aud": aud,
            // In the year 2100.
            "exp": 4_102_444_800_u64, "email": "canary@example.com",
        })
    };
    let signed = |claims: serde_json::Value| token(&header().to_string(), &claims.to_string());
    let good = signed(claims("canary-subject", "clarity"));
    let bad = signed(claims("canary-subject", "canary-audience"));
    for (user_id, token, status) in [
        ("canary-subject", &good, 200),
        ("canary-other", &good, 403),
        ("canary-subject", &bad, 401),
    ] {
        let url = format!("{}/api/v1/data/{user_id}", service.url);
        let response = client().get(url).bearer_auth(token).send().await;
        assert_eq!(response.unwrap().status(), status, "{user_id}");
    }
    let (_, log) = service.stop("TERM");
    for part in ["principal_kind=\"subject\"", "result=\"refused\""] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    let mut secrets = vec!["canary"];
    secrets.extend([&good, &bad].into_iter().flat_map(|token| token.split('.')));
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
