//! Unprocessed items, and failures in the middle of a batch.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clarity_backend::domain::Measurement;
use clarity_backend::store::{BatchPutStatus, StoreError, erase_user, put_batch};
use serde_json::{Value, json};

use super::fake_server;
use crate::backend::{connect_to_local, dynamodb_settings};
use crate::samples::{client_record, measurement, reading, series, user};

/// Requests of a `BatchWriteItem`, and their table.
pub fn write_requests(body: &[u8]) -> (String, Vec<Value>) {
    let body: Value = serde_json::from_slice(body).unwrap();
    let (table, requests) = body["RequestItems"]
        .as_object()
        .unwrap()
        .iter()
        .next()
        .unwrap();
    let requests = requests.as_array().unwrap().clone();
    assert!(requests.len() <= 25, "as many as DynamoDB takes");
    (table.clone(), requests)
}

/// Sort key of the item that a request puts.
pub fn id_of(request: &Value) -> String {
    let id = &request["PutRequest"]["Item"]["data_id"]["S"];
    id.as_str().unwrap().to_owned()
}

/// Ids that a server has processed.
type Processed = Arc<Mutex<BTreeSet<String>>>;

/// A server that leaves all but the first ten requests of each call unprocessed.
fn slow(processed: &Processed) -> String {
    let processed = Arc::clone(processed);
    fake_server::serve(move |operation, body| match operation {
        "BatchGetItem" => (
            200,
            json!({"Responses": {}, "UnprocessedKeys": {}}).to_string(),
        ),
        "BatchWriteItem" => {
            let (table, mut requests) = write_requests(body);
            let left = requests.split_off(requests.len().min(10));
            processed.lock().unwrap().extend(requests.iter().map(id_of));
            let unprocessed = match left.is_empty() {
                true => json!({}),
                false => json!({table: left}),
            };
            (200, json!({"UnprocessedItems": unprocessed}).to_string())
        }
        other => panic!("{other} was not expected"),
    })
}

fn ids(count: u32) -> BTreeSet<String> {
    let readings = series("someone", count);
    readings.iter().map(|one| one.id.to_string()).collect()
}

#[tokio::test]
async fn unprocessed_puts_are_sent_again() {
    let processed = Processed::default();
    let store = connect_to_local(&dynamodb_settings(&slow(&processed))).await;
    let outcomes = put_batch(&store, series("someone", 60)).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), BatchPutStatus::Stored);
    }
    assert_eq!(*processed.lock().unwrap(), ids(60));
}

/// Response to a call of which nothing is processed.
fn throttled() -> (u16, String) {
    let code = "ProvisionedThroughputExceededException";
    (400, json!({"__type": code}).to_string())
}

/// More calls are throttled than the SDK makes attempts.
#[tokio::test]
async fn throttled_calls_are_retried() {
    const THROTTLED: usize = 4;
    let processed = Processed::default();
    let taken = Arc::clone(&processed);
    let (gets, writes, puts) = Default::default();
    let is_early = |calls: &AtomicUsize| calls.fetch_add(1, Ordering::SeqCst) < THROTTLED;
    let endpoint = fake_server::serve(move |operation, body| match operation {
        "BatchGetItem" if is_early(&gets) => throttled(),
        "BatchWriteItem" if is_early(&writes) => throttled(),
        "PutItem" if is_early(&puts) => throttled(),
        "BatchGetItem" => (
            200,
            json!({"Responses": {}, "UnprocessedKeys": {}}).to_string(),
        ),
        "BatchWriteItem" => {
            let (_, requests) = write_requests(body);
            taken.lock().unwrap().extend(requests.iter().map(id_of));
            (200, json!({"UnprocessedItems": {}}).to_string())
        }
        "PutItem" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let id = body["Item"]["data_id"]["S"].as_str().unwrap();
            taken.lock().unwrap().insert(id.to_owned());
            (200, json!({}).to_string())
        }
        other => panic!("{other} was not expected"),
    });
    let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
    let mut readings = series("someone", 10);
    readings.push(reading(Measurement {
        client_record: client_record("1", 1),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    }));
    let ids: BTreeSet<String> = readings.iter().map(|one| one.id.to_string()).collect();
    for outcome in put_batch(&store, readings).await {
        assert_eq!(outcome.unwrap(), BatchPutStatus::Stored);
    }
    assert_eq!(*processed.lock().unwrap(), ids);
}

#[tokio::test]
async fn failed_erasure_reports_what_was_deleted() {
    let processed = Processed::default();
    let taken = Arc::clone(&processed);
    let endpoint = fake_server::serve(move |operation, body| match operation {
        "Query" => {
            let keys = series("someone", 60);
            let keys = keys.iter().map(
                |one| json!({"user_id": {"S": "someone"}, "data_id": {"S": one.id.to_string()}}),
            );
            (200, json!({"Items": keys.collect::<Vec<_>>()}).to_string())
        }
        "DeleteItem" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let mut taken = taken.lock().unwrap();
            if taken.len() < 25 {
                taken.insert(body["Key"]["data_id"]["S"].as_str().unwrap().to_owned());
                (200, json!({}).to_string())
            } else {
                (500, json!({"__type": "InternalServerError"}).to_string())
            }
        }
        other => panic!("{other} was not expected"),
    });
    let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
    let patience = Duration::from_secs(60);
    let mut reported = 0;
    let erasure = erase_user(&store, &user("someone"), patience, |part| reported += part)
        .await
        .unwrap();
    assert!(!erasure.complete);
    assert_eq!(erasure.deleted, processed.lock().unwrap().len() as u64);
    assert_eq!(reported, erasure.deleted);
    // If nothing can be deleted, the error is returned.
    let failed = erase_user(&store, &user("someone"), patience, |_| {}).await;
    assert!(matches!(failed, Err(StoreError::Unavailable(_))));
}

/// A response without the unprocessed items confirms nothing.
#[tokio::test]
async fn response_without_unprocessed_items_stores_nothing() {
    let foreign_key = json!({"user_id": {"S": "other"}, "data_id": {"S": "other"}});
    for (looked_up, written) in [
        (json!({"Responses": {}}), json!({"UnprocessedItems": {}})),
        (json!({"UnprocessedKeys": {}}), json!({})),
        (
            json!({"UnprocessedKeys": {}}),
            json!({"UnprocessedItems": {"table": [{}]}}),
        ),
        (
            json!({"UnprocessedKeys": {}}),
            json!({"UnprocessedItems": {"table": [{"DeleteRequest": {"Key": foreign_key}}]}}),
        ),
    ] {
        let endpoint = fake_server::serve(move |operation, _| match operation {
            "BatchGetItem" => (200, looked_up.to_string()),
            _ => (200, written.to_string()),
        });
        let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
        for outcome in put_batch(&store, series("someone", 60)).await {
            assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
        }
    }
}

/// Readings reported as stored were processed; all others have an error.
#[tokio::test]
async fn failed_batch_reports_what_was_stored() {
    let processed = Processed::default();
    let calls = AtomicUsize::new(0);
    let taken = Arc::clone(&processed);
    let endpoint = fake_server::serve(move |operation, body| match operation {
        "BatchWriteItem" if calls.fetch_add(1, Ordering::SeqCst) >= 3 => {
            (500, json!({"__type": "InternalServerError"}).to_string())
        }
        "BatchWriteItem" => {
            let (_, requests) = write_requests(body);
            taken.lock().unwrap().extend(requests.iter().map(id_of));
            (200, json!({"UnprocessedItems": {}}).to_string())
        }
        _ => (
            200,
            json!({"Responses": {}, "UnprocessedKeys": {}}).to_string(),
        ),
    });
    let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
    let readings = series("someone", 300);
    let outcomes = put_batch(&store, readings.clone()).await;
    let mut stored = BTreeSet::new();
    for (outcome, reading) in outcomes.into_iter().zip(&readings) {
        match outcome {
            Ok(BatchPutStatus::Stored) => assert!(stored.insert(reading.id.to_string())),
            Err(StoreError::Unavailable(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    // A response may be lost if the machine is so busy that a call times out.
    assert!(stored.is_subset(&processed.lock().unwrap()));
    assert!(!stored.is_empty());
    assert!(stored.len() <= 75, "three calls of 25");
}

/// A partial response to the check for existing readings is completed: existing ones
/// are not written again.
#[tokio::test]
async fn unprocessed_keys_are_requested_again() {
    let stored = ids(40);
    let processed = Processed::default();
    let (known, taken) = (stored.clone(), Arc::clone(&processed));
    let endpoint = fake_server::serve(move |operation, body| match operation {
        "BatchGetItem" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let asked = body["RequestItems"].as_object().unwrap();
            let (table, asked) = asked.iter().next().unwrap();
            let mut keys = asked["Keys"].as_array().unwrap().clone();
            assert!(keys.len() <= 100, "as many as DynamoDB takes");
            let left = keys.split_off(keys.len().min(15));
            keys.retain(|key| known.contains(key["data_id"]["S"].as_str().unwrap()));
            let unprocessed = match left.is_empty() {
                true => json!({}),
                false => json!({table: {"Keys": left, "ConsistentRead": true}}),
            };
            for key in &mut keys {
                key["type_key"] = json!({"S": "someone#heart_rate"});
            }
            let answer = json!({"Responses": {table: keys}, "UnprocessedKeys": unprocessed});
            (200, answer.to_string())
        }
        "BatchWriteItem" => {
            let (_, requests) = write_requests(body);
            taken.lock().unwrap().extend(requests.iter().map(id_of));
            (200, json!({"UnprocessedItems": {}}).to_string())
        }
        other => panic!("{other} was not expected"),
    });
    let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
    let readings = series("someone", 60);
    let outcomes = put_batch(&store, readings.clone()).await;
    for (outcome, reading) in outcomes.into_iter().zip(readings) {
        let expected = match stored.contains(&reading.id.to_string()) {
            true => BatchPutStatus::Unchanged,
            false => BatchPutStatus::Stored,
        };
        assert_eq!(outcome.unwrap(), expected);
    }
    let new: BTreeSet<String> = ids(60).difference(&stored).cloned().collect();
    assert_eq!(*processed.lock().unwrap(), new);
}
