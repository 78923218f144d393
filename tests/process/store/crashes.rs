//! What was acknowledged survives the end of the process, at whatever moment.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::service::{Service, client};

/// Who writes one reading after another, and who writes batches.
const SINGLE_WRITERS: usize = 12;
const BATCH_WRITERS: usize = 4;
/// Readings of a batch.
const BATCH: u64 = 10;
/// What any machine should need at most; the promise is 1 s, see what is
/// printed.
const READY: Duration = Duration::from_secs(10);

/// `CLARITY_TEST_KILLS=1000` for a thousand.
fn kills() -> usize {
    #[expect(clippy::disallowed_methods, reason = "set by whoever runs the tests")]
    let kills = std::env::var("CLARITY_TEST_KILLS");
    kills.map_or(20, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_lose_no_acknowledged_reading() {
    let directory = tempfile::tempdir().unwrap();
    let mut lives: Vec<Life> = Vec::new();
    let mut slowest = Duration::ZERO;
    for number in 0..kills() {
        let (service, ready_after) = start(directory.path()).await;
        slowest = slowest.max(ready_after);
        if let Some(last) = lives.last() {
            last.verify(&service).await;
        }
        lives.push(Life::spend(service, number).await);
    }
    let (service, ready_after) = start(directory.path()).await;
    slowest = slowest.max(ready_after);
    for life in &lives {
        life.verify(&service).await;
    }
    let acknowledged: usize = lives.iter().map(|life| life.acknowledged.len()).sum();
    println!(
        "{} kills, {acknowledged} readings acknowledged, none lost and none made up, ready again within {slowest:?}",
        lives.len()
    );
    assert!(acknowledged > 10 * lives.len());
    assert!(slowest < READY, "{slowest:?}");
}

/// Starts the service; tells also how long it took until it was ready.
async fn start(directory: &Path) -> (Service, Duration) {
    let start = Instant::now();
    let service = Service::start(directory, &[]);
    while service.get("/health/ready").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (service, start.elapsed())
}

/// What was written between a start and a kill, all of it of one user.
struct Life {
    user_id: String,
    sent: u64,
    acknowledged: Vec<u64>,
}

impl Life {
    /// Writes until the service is killed, which happens in the midst of it,
    /// once some writes are acknowledged.
    async fn spend(service: Service, number: usize) -> Self {
        let user_id = format!("user{number}");
        let (sent, answered) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for writer in 0..SINGLE_WRITERS + BATCH_WRITERS {
            let count = if writer < SINGLE_WRITERS { 1 } else { BATCH };
            let (url, user_id) = (service.url.clone(), user_id.clone());
            let (sent, answered) = (Arc::clone(&sent), Arc::clone(&answered));
            writers.spawn(async move {
                let client = client();
                let mut acknowledged = Vec::new();
                loop {
                    let first = sent.fetch_add(count, Ordering::SeqCst);
                    let values = first..first + count;
                    let readings = values.clone().map(|value| reading(&user_id, value));
                    let (path, body) = match count {
                        1 => ("data", reading(&user_id, first)),
                        _ => (
                            "data/batch",
                            json!({"readings": readings.collect::<Vec<_>>()}),
                        ),
                    };
                    let request = client
                        .post(format!("{url}/api/v1/{path}"))
                        .header("X-API-Key", "development-key")
                        .json(&body);
                    match request.send().await {
                        Ok(answer) if answer.status() == 200 => acknowledged.extend(values),
                        _ => return acknowledged,
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Another moment each time.
        let enough = 1 + number * 37 % 100;
        let wait = async {
            while answered.load(Ordering::SeqCst) < enough {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .expect("the service acknowledges writes");
        service.kill();
        Self {
            user_id,
            acknowledged: writers.join_all().await.concat(),
            sent: sent.load(Ordering::SeqCst),
        }
    }

    async fn verify(&self, service: &Service) {
        let mut held = BTreeSet::new();
        let page = format!("/api/v1/data/{}?limit=1000", self.user_id);
        let mut path = page.clone();
        loop {
            let (_, listed) = service.get(&path).await;
            for found in listed["data"].as_array().unwrap() {
                let value = found["value"].as_f64().unwrap().to_string();
                let value: u64 = value.parse().unwrap();
                assert!(value < self.sent, "{value} was never sent");
                assert!(held.insert(value), "{value} is there twice");
                for (name, sent) in reading(&self.user_id, value).as_object().unwrap() {
                    let is_value = name == "value";
                    assert!(is_value || &found[name] == sent, "{found}");
                }
            }
            match listed["next_cursor"].as_str() {
                Some(cursor) => path = format!("{page}&cursor={cursor}"),
                None => break,
            }
        }
        for value in &self.acknowledged {
            assert!(held.contains(value), "{value} was acknowledged");
        }
    }
}

fn reading(user_id: &str, value: u64) -> Value {
    json!({
        "user_id": user_id,
        "data_type": "heart_rate",
        "value": value,
        "timestamp": "2024-01-15T10:30:00Z",
        "metadata": {"device": format!("watch {value}")}
    })
}
