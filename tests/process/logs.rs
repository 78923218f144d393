//! Nothing personal reaches a log, however much is logged.

use serde_json::json;

use crate::service::Service;

#[tokio::test]
async fn nothing_a_client_says_is_logged() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[("RUST_LOG", "trace")]);
    let reading = json!({
        "user_id": "canary-user",
        "data_type": "canary_type",
        "value": 424_242.5,
        "timestamp": "2011-11-11T11:11:11Z",
        "unit": "canary-unit",
        "metadata": {"canary-name": "canary-text"},
        "client_record_id": "canary-record"
    });
    let (status, stored) = service.post("/api/v1/data", &reading).await;
    assert_eq!(status, 200);
    let id = stored["data_id"].as_str().unwrap();
    let mut broken = reading.clone();
    broken["value"] = json!("canary-value");
    assert_eq!(service.post("/api/v1/data", &broken).await.0, 422);
    broken["canary-member"] = json!(1);
    assert_eq!(service.post("/api/v1/data", &broken).await.0, 422);
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
    let question = json!({"user_id": "canary-user", "query": "canary-question"});
    assert_eq!(service.post("/api/v1/insights", &question).await.0, 200);
    let (_, log) = service.stop("TERM");
    assert!(log.contains("request_id"), "there is a log: {log}");
    for secret in ["canary", "424242", "2011-11-11", id, "development-key"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
