//! Latency of insights without a model over HTTP: the first and the later answers
//! over 30 days of 20 data types in the embedded store.
//!
//! `cargo bench --bench insights`; takes some seconds.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints its results and fails by panicking"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use clarity_backend::app::App;
use clarity_backend::config::Config;
use clarity_backend::domain::{
    Clock, Measurement, MeasurementTime, Metadata, Reading, ReadingValue, vocabulary,
};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const TYPES: usize = 20;
const READINGS_PER_TYPE: i64 = 500;
const REPETITIONS: usize = 21;

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let store = Arc::new(EmbeddedStore::open(directory.path()).unwrap());
    fill(&store).await;
    let config = Config::read(|_| None).unwrap();
    let app = App::with_store(&config, store, Arc::new(FixedClock))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(app.serve(listener, std::future::pending()));

    let client = client();
    let health = client.get(format!("{url}/health"));
    health.send().await.unwrap();
    let first = ask(&client, &url, "How am I doing?").await;
    let readings = TYPES as i64 * READINGS_PER_TYPE;
    println!("insight over {readings} readings of {TYPES} types in 30 days");
    println!("  first            {first:>10.1?}  (target: 50 ms)");
    for question in ["How am I doing?", "How did my steps change last week?"] {
        let mut latencies = Vec::with_capacity(REPETITIONS);
        for _ in 0..REPETITIONS {
            latencies.push(ask(&client, &url, question).await);
        }
        latencies.sort_unstable();
        println!(
            "  later, median    {:>10.1?}  {question}",
            latencies[REPETITIONS / 2]
        );
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark needs no timeout")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}

async fn ask(client: &reqwest::Client, url: &str, question: &str) -> Duration {
    let request = client
        .post(format!("{url}/api/v1/insights"))
        .header("X-API-Key", "development-key")
        .json(&json!({"user_id": "user", "query": question}));
    let started = Instant::now();
    let response = request.send().await.unwrap().error_for_status().unwrap();
    response.bytes().await.unwrap();
    started.elapsed()
}

async fn fill(store: &Arc<EmbeddedStore>) {
    let mut tasks = JoinSet::new();
    for metric in vocabulary::metrics().iter().take(TYPES) {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            let range = metric.plausible.clone().unwrap();
            let middle = (range.start() + range.end()) / 2.0;
            for number in 0..READINGS_PER_TYPE {
                let at = FixedClock.now() - SignedDuration::from_mins(86 * number);
                let measurement = Measurement {
                    user_id: "user".parse().unwrap(),
                    data_type: metric.name.parse().unwrap(),
                    value: ReadingValue::try_from(middle + (number % 7) as f64 / 7.0).unwrap(),
                    timestamp: MeasurementTime::parse_any(&at.to_string()).unwrap(),
                    unit: None,
                    metadata: Metadata::parse(r#"{"source":"watch"}"#).unwrap(),
                    client_record: None,
                };
                let reading = Reading::accept(measurement, FixedClock.now());
                store.put(reading).await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Clock fixed at the time of the newest reading.
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        "2024-06-01T12:00:00Z".parse().unwrap()
    }
}
