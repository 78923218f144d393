//! What was acknowledged survives a crash.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::service::{Service, client, command};

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
async fn a_reading_is_still_there_after_a_crash() {
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
async fn a_crash_while_starting_leaves_no_half_store() {
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
        assert_eq!(files, 1, "what a crash left is removed");
        std::fs::remove_dir_all(&data).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_under_load_lose_nothing_acknowledged() {
    const ROUNDS: usize = 5;
    const CLIENTS: usize = 16;
    let directory = tempfile::tempdir().unwrap();
    let next = Arc::new(AtomicU64::new(0));
    let mut acknowledged = Vec::new();
    for _ in 0..ROUNDS {
        acknowledged.extend(write_until_killed(directory.path(), &next, CLIENTS).await);
    }
    assert!(!acknowledged.is_empty());
    let service = Service::start(directory.path(), &[]);
    let held = values(&service).await;
    let sent = next.load(Ordering::Relaxed) as f64;
    for value in &acknowledged {
        assert!(held.contains(value), "{value} was acknowledged");
    }
    assert!(
        held.iter().all(|value| *value < sent),
        "nothing that was never sent"
    );
    assert!(
        held.len() <= acknowledged.len() + ROUNDS * CLIENTS,
        "nothing twice"
    );
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let service = Service::start_with_file_limit(directory.path(), 4 * 1024);
    let mut acknowledged = Vec::new();
    let refused = loop {
        let value = acknowledged.len() as u64;
        let mut reading = reading(value);
        reading["metadata"] = json!({"note": "x".repeat(16_000)});
        match service.post("/api/v1/data", &reading).await {
            (status, _) if status == 200 => acknowledged.push(value as f64),
            refused => break refused,
        }
        assert!(acknowledged.len() < 2_000, "the limit is never met");
    };
    assert_eq!(
        (refused.0.as_u16(), &refused.1["code"]),
        (503, &json!("store_unavailable"))
    );
    let (status, ready) = service.get("/health/ready").await;
    assert_eq!(
        (status.as_u16(), &ready["status"]),
        (503, &json!("not_ready"))
    );
    assert_eq!(service.get("/health").await.0, 200);
    let (_, log) = service.stop("TERM");
    assert!(log.contains("see to the disk"), "{log}");

    let service = Service::start(directory.path(), &[]);
    let mut held = values(&service).await;
    held.sort_by(f64::total_cmp);
    assert!(
        held.starts_with(&acknowledged),
        "{} of {}",
        held.len(),
        acknowledged.len()
    );
    assert_eq!(service.post("/api/v1/data", &reading(72)).await.0, 200);
}

/// Writes until the service is killed, which happens once 50 writes are
/// acknowledged; gives what was.
async fn write_until_killed(directory: &Path, next: &Arc<AtomicU64>, clients: usize) -> Vec<f64> {
    let service = Service::start(directory, &[]);
    let url = format!("{}/api/v1/data", service.url);
    let mut writers = JoinSet::new();
    let count = Arc::new(AtomicU64::new(0));
    for _ in 0..clients {
        let (url, next, count) = (url.clone(), Arc::clone(next), Arc::clone(&count));
        writers.spawn(async move {
            let client = client();
            let mut acknowledged = Vec::new();
            loop {
                let value = next.fetch_add(1, Ordering::Relaxed);
                let request = client
                    .post(&url)
                    .header("X-API-Key", "development-key")
                    .json(&reading(value));
                match request.send().await {
                    Ok(answer) if answer.status() == 200 => acknowledged.push(value as f64),
                    _ => return acknowledged,
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let enough = async {
        while count.load(Ordering::Relaxed) < 50 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), enough)
        .await
        .expect("the service acknowledges writes");
    service.kill();
    let mut acknowledged = Vec::new();
    while let Some(values) = writers.join_next().await {
        acknowledged.extend(values.unwrap());
    }
    acknowledged
}

async fn values(service: &Service) -> Vec<f64> {
    let mut values = Vec::new();
    let mut path = "/api/v1/data/user123?limit=1000".to_owned();
    loop {
        let (_, page) = service.get(&path).await;
        let readings = page["data"].as_array().unwrap();
        values.extend(
            readings
                .iter()
                .map(|reading| reading["value"].as_f64().unwrap()),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/data/user123?limit=1000&cursor={cursor}"),
            None => return values,
        }
    }
}
