//! Stored readings that cannot be decoded.

use std::path::Path;

use redb::{Database, ReadableTable as _, TableDefinition};
use serde_json::{Value, json};

use crate::log_capture::LoggedService;
use crate::service::{Service, client, error_output, run};

const READINGS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("readings");

/// Overwrites the record with the smallest key.
fn make_first_unreadable(directory: &Path) {
    let file = directory.join("data").join("readings.redb");
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut table = transaction.open_table(READINGS).unwrap();
    let key = table.first().unwrap().unwrap().0.value().to_vec();
    table
        .insert(key.as_slice(), [0xff_u8; 3].as_slice())
        .unwrap();
    drop(table);
    transaction.commit().unwrap();
}

#[tokio::test]
async fn unreadable_reading_is_skipped_reported_and_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let variables = [("CLARITY_DATA_DIR", "data")];
    let service = Service::start(directory.path(), &variables);
    let mut ids = Vec::new();
    for day in [15, 16] {
        let reading = json!({
            "user_id": "canary-user",
            "data_type": "heart_rate",
            "value": 72,
            "timestamp": format!("2024-01-{day}T10:30:00Z"),
        });
        let (status, stored) = service.post("/api/v1/data", &reading).await;
        assert_eq!(status, 200);
        ids.push(stored["data_id"].as_str().unwrap().to_owned());
    }
    service.stop("TERM");
    let list = || {
        let arguments = ["unreadable", "canary-user"];
        run(directory.path(), &arguments, &variables)
    };
    let none = list();
    error_output(&none, 0);
    assert_eq!(none.stdout, b"");

    make_first_unreadable(directory.path());
    let found = list();
    error_output(&found, 1);
    let found = String::from_utf8(found.stdout).unwrap();
    let [line] = found.lines().collect::<Vec<_>>()[..] else {
        panic!("{found}");
    };
    let (id, reason) = line.split_once('\t').unwrap();
    assert_eq!(id, ids[0]);
    assert_ne!(reason, "");

    let of_user = |rest: &str| format!("/api/v1/data/canary-user{rest}");
    let metrics = [variables[0], ("METRICS_ADDR", "127.0.0.1:0")];
    let counted = LoggedService::start(directory.path(), &metrics);
    for _ in 0..2 {
        assert_eq!(counted.send("GET", &of_user(""), Value::Null).await, 200);
    }
    let metrics = counted.metrics().await;
    let expected = "\nclarity_readings_unreadable_total 2\n";
    assert!(metrics.contains(expected), "{metrics}");
    counted.stop();

    let service = Service::start(directory.path(), &variables);
    let (status, page) = service.get(&of_user("")).await;
    assert_eq!(status, 200);
    assert_eq!(page["data"][0]["data_id"], *ids[1], "{page}");
    let question = json!({"user_id": "canary-user", "query": "how is my heart rate?"});
    assert_eq!(service.post("/api/v1/insights", &question).await.0, 200);
    let summary = of_user("/summary?start=2024-01-01T00:00:00Z");
    assert_eq!(service.get(&summary).await.0, 200);
    let send = async |method, path: &str| {
        let request = client().request(method, format!("{}{path}", service.url));
        let response = request.header("X-API-Key", "development-key").send().await;
        let response = response.unwrap();
        let status = response.status();
        (status, response.text().await.unwrap())
    };
    let (status, export) = send(reqwest::Method::GET, &of_user("/export")).await;
    assert_eq!(status, 200);
    let exported: Value = serde_json::from_str(export.lines().next().unwrap()).unwrap();
    assert_eq!(exported["data_id"], *ids[1]);
    let first = of_user(&format!("/{}", ids[0]));
    assert_eq!(service.get(&first).await.0, 500);
    assert!(send(reqwest::Method::DELETE, &first).await.0.is_success());
    assert_eq!(service.get(&first).await.0, 404);
    let (_, log) = service.stop("TERM");
    assert!(log.contains("skipped unreadable readings"), "{log}");
    for secret in ["canary-user", ids[0].as_str()] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    error_output(&list(), 0);
}
