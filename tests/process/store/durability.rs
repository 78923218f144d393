//! Acknowledged readings survive a crash, and a crash during startup leaves a usable store.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::service::{Service, command};

fn reading(value: u64) -> Value {
    json!({
        "user_id": "user123",
        "data_type": "heart_rate",
        "value": value,
        "timestamp": "2024-01-15T10:30:00Z",
        "metadata": {"device": "watch"}
    })
}

#[tokio::test]
async fn acknowledged_reading_survives_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start(directory.path(), &[]);
    let (status, stored) = service.post("/api/v1/data", &reading(72)).await;
    assert_eq!(status, 200);
    service.kill();
    let service = Service::start(directory.path(), &[]);
    let (_, listed) = service.get("/api/v1/data/user123").await;
    assert_eq!(listed["data"], json!([stored["data"]]));
}

#[tokio::test]
async fn crash_during_startup_leaves_no_partial_store() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("clarity-data");
    for milliseconds in 0..20 {
        let mut process = command(directory.path())
            .env("PORT", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        process.kill().unwrap();
        process.wait().unwrap();
        let service = Service::start(directory.path(), &[]);
        assert_eq!(service.post("/api/v1/data", &reading(72)).await.0, 200);
        service.kill();
        let files = std::fs::read_dir(&data).unwrap().count();
        assert_eq!(files, 1, "temporary files are removed");
        std::fs::remove_dir_all(&data).unwrap();
    }
}
