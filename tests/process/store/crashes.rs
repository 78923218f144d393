//! Acknowledged readings survive SIGKILL at any time.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::service::{Service, client};

/// Tasks that write single readings, and tasks that write batches.
const SINGLE_WRITERS: usize = 12;
const BATCH_WRITERS: usize = 4;
/// Readings in a batch.
const BATCH_LEN: u64 = 10;
/// Bound on the time until the service is ready. Generous, since the machine may be busy:
/// the target is 1 s, and the test prints the slowest start.
const MAX_STARTUP_TIME: Duration = Duration::from_secs(10);

/// Returns the number of kills: `CLARITY_TEST_KILLS`, or 20.
fn kill_count() -> usize {
    #[expect(
        clippy::disallowed_methods,
        reason = "set in the environment of the test run"
    )]
    let kills = std::env::var("CLARITY_TEST_KILLS");
    kills.map_or(20, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_under_load_lose_no_acknowledged_reading() {
    let directory = tempfile::tempdir().unwrap();
    let mut lifetimes: Vec<Lifetime> = Vec::new();
    let mut slowest = Duration::ZERO;
    for number in 0..kill_count() {
        let (service, ready_after) = start(directory.path()).await;
        slowest = slowest.max(ready_after);
        if let Some(last) = lifetimes.last() {
            last.verify(&service).await;
        }
        lifetimes.push(Lifetime::write_until_killed(service, number).await);
    }
    let (service, ready_after) = start(directory.path()).await;
    slowest = slowest.max(ready_after);
    for lifetime in &lifetimes {
        lifetime.verify(&service).await;
    }
    let acknowledged: usize = lifetimes
        .iter()
        .map(|lifetime| lifetime.acknowledged.len())
        .sum();
    println!(
        "{} kills, {acknowledged} readings acknowledged, none lost or invented, slowest start {slowest:?}",
        lifetimes.len()
    );
    assert!(acknowledged > 10 * lifetimes.len());
    assert!(slowest < MAX_STARTUP_TIME, "{slowest:?}");
}

/// Starts the service; returns it with the time until it was ready.
async fn start(directory: &Path) -> (Service, Duration) {
    let start = Instant::now();
    let service = Service::start(directory, &[]);
    while service.get("/health/ready").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    (service, start.elapsed())
}

/// Readings written between a start and a kill, all of one user.
struct Lifetime {
    user_id: String,
    sent: u64,
    acknowledged: Vec<u64>,
}

impl Lifetime {
    /// Writes concurrently, and kills the service in between once some writes are
    /// acknowledged.
    async fn write_until_killed(service: Service, number: usize) -> Self {
        let user_id = format!("user{number}");
        let (sent, responses) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut writers = JoinSet::new();
        for writer in 0..SINGLE_WRITERS + BATCH_WRITERS {
            let count = if writer < SINGLE_WRITERS {
                1
            } else {
                BATCH_LEN
            };
            let (url, user_id) = (service.url.clone(), user_id.clone());
            let (sent, responses) = (Arc::clone(&sent), Arc::clone(&responses));
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
                        Ok(response) if response.status() == 200 => acknowledged.extend(values),
                        _ => return acknowledged,
                    }
                    responses.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Varies the time of the kill.
        let enough = 1 + number * 37 % 100;
        let wait = async {
            while responses.load(Ordering::SeqCst) < enough {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .expect("the service acknowledges no writes");
        service.kill();
        Self {
            user_id,
            acknowledged: writers.join_all().await.concat(),
            sent: sent.load(Ordering::SeqCst),
        }
    }

    async fn verify(&self, service: &Service) {
        let mut stored = BTreeSet::new();
        let page = format!("/api/v1/data/{}?limit=1000", self.user_id);
        let mut path = page.clone();
        loop {
            let (_, listed) = service.get(&path).await;
            for found in listed["data"].as_array().unwrap() {
                let value = found["value"].as_f64().unwrap().to_string();
                let value: u64 = value.parse().unwrap();
                assert!(value < self.sent, "{value} was never sent");
                assert!(stored.insert(value), "{value} is stored twice");
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
            assert!(
                stored.contains(value),
                "{value} was acknowledged but is not stored"
            );
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
