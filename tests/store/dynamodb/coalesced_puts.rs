//! Concurrent single puts share calls, and each has its own result.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use clarity_backend::domain::Reading;
use clarity_backend::store::{DynamoDbStore, PutResult, ReadingStore, StoreError};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::fake_server;
use super::unprocessed::{id_of, write_requests};
use crate::backend::dynamodb_settings;
use crate::samples::series;

/// Requests to a server: single puts, and ids in batches.
#[derive(Default)]
struct Asked {
    by_themselves: usize,
    batches: Vec<BTreeSet<String>>,
}

/// An empty server; `write` responds to batches.
fn server(
    write: impl Fn(&str, &[Value]) -> (u16, String) + Send + Sync + 'static,
) -> (String, Arc<Mutex<Asked>>) {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let noted = Arc::clone(&asked);
    let endpoint = fake_server::serve(move |operation, body| match operation {
        "PutItem" => {
            noted.lock().unwrap().by_themselves += 1;
            (200, "{}".to_owned())
        }
        "BatchGetItem" => {
            let nothing = json!({"Responses": {}, "UnprocessedKeys": {}});
            (200, nothing.to_string())
        }
        "BatchWriteItem" => {
            let (table, requests) = write_requests(body);
            let ids: BTreeSet<String> = requests.iter().map(id_of).collect();
            assert_eq!(ids.len(), requests.len(), "one comes twice in a call");
            noted.lock().unwrap().batches.push(ids);
            write(&table, &requests)
        }
        other => panic!("{other} was not expected"),
    });
    (endpoint, asked)
}

fn all_taken() -> (u16, String) {
    (200, json!({"UnprocessedItems": {}}).to_string())
}

async fn put_at_once(endpoint: &str, readings: Vec<Reading>) -> Vec<Result<PutResult, StoreError>> {
    let store = DynamoDbStore::connect(dynamodb_settings(endpoint)).await;
    join_all(readings.into_iter().map(|reading| store.put(reading))).await
}

#[tokio::test]
async fn queued_puts_are_sent_as_one_batch() {
    let (endpoint, asked) = server(|_, _| all_taken());
    let readings = series("someone", 100);
    let outcomes = put_at_once(&endpoint, readings.clone()).await;
    for (outcome, reading) in outcomes.into_iter().zip(readings) {
        assert_eq!(outcome.unwrap(), PutResult::Stored(reading));
    }
    let asked = asked.lock().unwrap();
    assert_eq!(asked.by_themselves, 2, "the first do not wait");
    let sizes: Vec<usize> = asked.batches.iter().map(BTreeSet::len).collect();
    assert_eq!(sizes.iter().sum::<usize>(), 98);
    assert_eq!(sizes.len(), 4, "{sizes:?}");
}

#[tokio::test]
async fn sequential_puts_are_sent_individually() {
    let (endpoint, asked) = server(|_, _| all_taken());
    let store = DynamoDbStore::connect(dynamodb_settings(&endpoint)).await;
    for reading in series("someone", 10) {
        store.put(reading).await.unwrap();
    }
    assert_eq!(asked.lock().unwrap().by_themselves, 10);
}

#[tokio::test]
async fn batch_contains_each_reading_once() {
    let (endpoint, asked) = server(|_, _| all_taken());
    let readings: Vec<Reading> = series("someone", 4).into_iter().cycle().take(12).collect();
    for outcome in put_at_once(&endpoint, readings).await {
        assert!(matches!(outcome, Ok(PutResult::Stored(_))));
    }
    // A repeated put is sent individually, after the first.
    let asked = asked.lock().unwrap();
    let together: usize = asked.batches.iter().map(BTreeSet::len).sum();
    assert!(together >= 2, "{:?}", asked.batches);
    assert_eq!(together + asked.by_themselves, 12);
}

#[tokio::test]
async fn unprocessed_put_fails_alone() {
    let spoilt = series("someone", 30)[20].id.to_string();
    let left = spoilt.clone();
    let (endpoint, _) = server(move |table, requests| {
        let left: Vec<&Value> = requests.iter().filter(|put| id_of(put) == left).collect();
        let unprocessed = match left.is_empty() {
            true => json!({}),
            false => json!({table: left}),
        };
        (200, json!({"UnprocessedItems": unprocessed}).to_string())
    });
    let readings = series("someone", 30);
    let outcomes = put_at_once(&endpoint, readings.clone()).await;
    for (outcome, reading) in outcomes.into_iter().zip(readings) {
        match outcome {
            Ok(_) => assert_ne!(reading.id.to_string(), spoilt),
            Err(error) => {
                assert_eq!(reading.id.to_string(), spoilt, "{error}");
                assert!(error.is_retryable());
            }
        }
    }
}

#[tokio::test]
async fn rejected_batch_is_retried_individually() {
    let refusal = json!({"__type": "ValidationException", "message": "one of them"});
    let (endpoint, asked) = server(move |_, _| (400, refusal.to_string()));
    for outcome in put_at_once(&endpoint, series("someone", 12)).await {
        outcome.unwrap();
    }
    assert_eq!(asked.lock().unwrap().by_themselves, 12);
}
