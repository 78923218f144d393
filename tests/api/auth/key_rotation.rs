//! API keys that change while the service runs.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use clarity_backend::config::Config;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::api_keys::{SCOPES, entry};
use crate::support::app::{ApiResponse, TestApp, config, example};
use crate::support::secrets_manager::FakeSecretsManager;

/// Returns a key list in which all keys belong to one client id.
fn keys(keys: &[&str]) -> String {
    let entries = keys.iter().map(|key| entry("app", key, &SCOPES, &["*"]));
    Value::from_iter(entries).to_string()
}

/// Polls until a request with this key returns `status`.
async fn wait_for_status(app: &TestApp, key: &str, status: StatusCode) {
    while list(app, key).await.status != status {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn list(app: &TestApp, key: &str) -> ApiResponse {
    ApiResponse::from_request(app.request_with_key(key, Method::GET, "/api/v1/data/user123")).await
}

async fn wait_for_key_state(app: &TestApp, state: &str) {
    loop {
        let ready = app.anonymous(Method::GET, "/health/ready");
        let ready = ApiResponse::from_request(ready)
            .await
            .expect(StatusCode::OK);
        if ready["checks"]["api_keys"] == state {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn with_fast_reload(mut config: Config) -> Config {
    config.keys.reload_interval = Duration::from_millis(5);
    config
}

/// Replaces a file atomically.
fn replace_file(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(&new, path).unwrap();
}

/// Adds a new key and removes the old one repeatedly while clients write with
/// the latest key.
#[tokio::test]
async fn key_rotation_under_load_rejects_no_request() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    replace_file(&path, &keys(&["key-0"]));
    let variables = [("CLARITY_API_KEYS_FILE", path.to_str().unwrap())];
    let app = Arc::new(TestApp::start_with_config(&with_fast_reload(config(&variables))).await);
    let (generation, done) = (
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    // Generation of the key that each client last used successfully.
    let served: Arc<[AtomicU64; 8]> = Arc::default();
    let client = |number: usize| {
        let (app, generation, done) = (app.clone(), generation.clone(), done.clone());
        let served = served.clone();
        async move {
            let mut sent = 0;
            while !done.load(Ordering::SeqCst) {
                let current = generation.load(Ordering::SeqCst);
                let key = format!("key-{current}");
                let mut reading = example();
                reading["value"] = json!(number * 1_000_000 + sent);
                let request = app.request_with_key(&key, Method::POST, "/api/v1/data");
                ApiResponse::from_request(request.json(&reading))
                    .await
                    .expect(StatusCode::OK);
                served[number].store(current, Ordering::SeqCst);
                sent += 1;
            }
            sent
        }
    };
    let clients: Vec<_> = (0..8).map(|number| tokio::spawn(client(number))).collect();
    for next in 1..=5 {
        let (old, new) = (format!("key-{}", next - 1), format!("key-{next}"));
        replace_file(&path, &keys(&[&old, &new]));
        wait_for_status(&app, &new, StatusCode::OK).await;
        generation.store(next, Ordering::SeqCst);
        // After that no request with the old key is in flight.
        let is_served = |client: &AtomicU64| client.load(Ordering::SeqCst) == next;
        while !served.iter().all(is_served) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        replace_file(&path, &keys(&[&new]));
        wait_for_status(&app, &old, StatusCode::UNAUTHORIZED).await;
    }
    done.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(client.await.unwrap() >= 5);
    }
}

#[tokio::test]
async fn secrets_manager_keys_survive_its_failure() {
    let manager = FakeSecretsManager::start("clarity/api-keys", &keys(&["old"])).await;
    let mut config = with_fast_reload(config(&[
        ("CLARITY_API_KEYS_SECRET", "clarity/api-keys"),
        ("CLARITY_API_KEY", "key-of-old"),
        ("SECRETS_MANAGER_ENDPOINT", &manager.endpoint()),
    ]));
    config.keys.reload_interval = Duration::from_millis(20);
    let app = TestApp::start_with_config(&config).await;
    list(&app, "old").await.expect(StatusCode::OK);
    list(&app, "key-of-old").await.expect(StatusCode::OK);
    list(&app, "new").await.expect_problem(401, "unauthorized");
    wait_for_key_state(&app, "ok").await;

    manager.set(&keys(&["old", "new"]));
    wait_for_status(&app, "new", StatusCode::OK).await;
    for broken in ["", "[{}]", "not JSON"] {
        manager.set(broken);
        wait_for_key_state(&app, "stale").await;
        list(&app, "old").await.expect(StatusCode::OK);
        manager.set(&keys(&["old", "new"]));
        wait_for_key_state(&app, "ok").await;
    }
    manager.fail();
    wait_for_key_state(&app, "stale").await;
    list(&app, "new").await.expect(StatusCode::OK);
    manager.set(&keys(&["new"]));
    wait_for_status(&app, "old", StatusCode::UNAUTHORIZED).await;
    list(&app, "new").await.expect(StatusCode::OK);
    list(&app, "key-of-old").await.expect(StatusCode::OK);
}
