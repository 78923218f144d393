//! Data files that are deleted, moved or replaced while the service runs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::service::{Service, error_output, run};

fn reading(value: usize) -> Value {
    json!({
        "user_id": "user123",
        "data_type": "heart_rate",
        "value": value,
        "timestamp": "2024-01-15T10:30:00Z",
    })
}

fn data_in(directory: &Path) -> PathBuf {
    directory.join("clarity-data")
}

fn file_in(directory: &Path) -> PathBuf {
    data_in(directory).join("readings.redb")
}

/// Starts a service that has stored one reading, next to `copy`, a file without it.
async fn start() -> (TempDir, Service) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    assert!(Service::start(path, &[]).stop("TERM").0.success());
    fs::copy(file_in(path), data_in(path).join("copy")).unwrap();
    let service = Service::start(path, &[]);
    assert_eq!(service.post("/api/v1/data", &reading(1)).await.0, 200);
    (directory, service)
}

/// Checks that neither a write nor readiness succeeds, in this or the other order.
async fn assert_stopped(service: &Service, readiness_first: bool) {
    if readiness_first {
        assert_eq!(service.get("/health/ready").await.0, 503);
    }
    for value in 2..5 {
        assert_eq!(service.post("/api/v1/data", &reading(value)).await.0, 503);
    }
    assert_eq!(service.get("/health/ready").await.0, 503);
    // What is at the path has other readings, or none.
    assert_eq!(service.get("/api/v1/data/user123").await.0, 503);
}

#[tokio::test]
async fn deleted_directory_stops_writes_and_readiness() {
    for readiness_first in [false, true] {
        let (directory, service) = start().await;
        fs::remove_dir_all(data_in(directory.path())).unwrap();
        assert_stopped(&service, readiness_first).await;
        // Another directory at the path is not served either.
        let other = Service::start(directory.path(), &[]);
        assert_eq!(other.post("/api/v1/data", &reading(1)).await.0, 200);
        assert_stopped(&service, readiness_first).await;
    }
}

#[tokio::test]
async fn replaced_file_stops_writes_and_lets_no_other_process_in() {
    for readiness_first in [false, true] {
        let (directory, service) = start().await;
        let path = directory.path();
        fs::rename(data_in(path).join("copy"), file_in(path)).unwrap();
        let second = run(path, &[], &[("PORT", "0")]);
        assert!(error_output(&second, 1).contains("in use by another process"));
        assert_stopped(&service, readiness_first).await;
        let second = run(path, &[], &[("PORT", "0")]);
        assert!(error_output(&second, 1).contains("in use by another process"));
        let (status, log) = service.stop("TERM");
        assert!(status.success());
        assert!(log.contains("was deleted, moved or replaced"), "{log}");

        let restarted = Service::start(path, &[]);
        assert_eq!(restarted.get("/health/ready").await.0, 200);
        assert_eq!(restarted.post("/api/v1/data", &reading(1)).await.0, 200);
    }
}

#[tokio::test]
async fn moved_directory_stops_writes_until_it_is_back() {
    let (directory, service) = start().await;
    let (data, elsewhere) = (
        data_in(directory.path()),
        directory.path().join("elsewhere"),
    );
    fs::rename(&data, &elsewhere).unwrap();
    assert_stopped(&service, false).await;
    fs::rename(&elsewhere, &data).unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while service.get("/health/ready").await.0 != 200 {
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(service.post("/api/v1/data", &reading(9)).await.0, 200);
    let (_, list) = service.get("/api/v1/data/user123").await;
    let text = list.to_string();
    for value in [1, 9] {
        assert!(text.contains(&format!("\"value\":{value}")), "{text}");
    }
}
