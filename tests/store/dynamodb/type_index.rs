//! Lists while the index by type cannot be used.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clarity_backend::domain::{DataTypes, ListQuery};
use clarity_backend::store::{DynamoDbStore, ReadingStore, StoreError};
use serde_json::{Value, json};

use super::fake_server;
use crate::backend::dynamodb_settings;
use crate::samples::{all_of, series};

/// Description of a table whose index is in this state.
fn table(status: &str, projection: &str) -> Value {
    json!({"Table": {
        "TableName": "readings",
        "TableStatus": "ACTIVE",
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-type",
            "IndexStatus": status,
            "Projection": {"ProjectionType": projection},
            "KeySchema": [
                {"AttributeName": "type_key", "KeyType": "HASH"},
                {"AttributeName": "data_id", "KeyType": "RANGE"}
            ]
        }]
    }})
}

fn refusal(code: &str, message: &str) -> (u16, String) {
    (400, json!({"__type": code, "message": message}).to_string())
}

/// A server with one reading in its table and none in its index, which records which of
/// the two is queried.
fn server(describe: (u16, String), queried: &Arc<Mutex<Vec<bool>>>, has_index: bool) -> String {
    let queried = Arc::clone(queried);
    fake_server::serve(move |operation, body| match operation {
        "DescribeTable" => describe.clone(),
        "Query" => {
            let body: Value = serde_json::from_slice(body).unwrap();
            let of_index = body["IndexName"] == "by-type";
            queried.lock().unwrap().push(of_index);
            if of_index && !has_index {
                let message = "The table does not have the specified index: by-type";
                return refusal("ValidationException", message);
            }
            let items = if of_index { json!([]) } else { json!([item()]) };
            let answer = json!({"Items": items, "Count": items.as_array().unwrap().len(), "ScannedCount": 1});
            (200, answer.to_string())
        }
        other => panic!("{other} was not expected"),
    })
}

fn item() -> Value {
    json!({
        "user_id": {"S": "someone"},
        "data_id": {"S": series("someone", 1)[0].id.to_string()},
        "data_type": {"S": "heart_rate"},
        "value": {"N": "0"},
        "timestamp": {"S": "2024-05-01T00:00:00Z"},
        "created_at": {"S": "2024-06-01T08:00:00.123Z"},
        "metadata": {"M": {}}
    })
}

fn of_a_type() -> ListQuery {
    ListQuery {
        data_types: DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap(),
        ..all_of("someone")
    }
}

/// Returns how many readings a list finds, and which queries it sent.
async fn list(describe: (u16, String), has_index: bool) -> (usize, Vec<bool>) {
    let queried = Arc::default();
    let endpoint = server(describe, &queried, has_index);
    let store = DynamoDbStore::connect(dynamodb_settings(&endpoint)).await;
    let page = store.list(&of_a_type()).await.unwrap();
    let queried = queried.lock().unwrap().clone();
    (page.readings.len(), queried)
}

#[tokio::test]
async fn index_is_used_only_when_complete() {
    let described = |status, projection| (200, table(status, projection).to_string());
    assert_eq!(
        list(described("ACTIVE", "ALL"), true).await,
        (0, vec![true])
    );
    for other in [
        described("CREATING", "ALL"),
        described("DELETING", "ALL"),
        described("ACTIVE", "KEYS_ONLY"),
        (200, json!({"Table": {"TableStatus": "ACTIVE"}}).to_string()),
        refusal("AccessDeniedException", "not authorized"),
    ] {
        assert_eq!(list(other, true).await, (1, vec![false]));
    }
}

#[tokio::test]
async fn removed_index_is_detected_by_a_query() {
    let described = (200, table("ACTIVE", "ALL").to_string());
    assert_eq!(list(described, false).await, (1, vec![true, false]));
}

#[tokio::test]
async fn index_is_not_checked_for_every_list() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let endpoint = fake_server::serve(move |operation, _| {
        if operation == "DescribeTable" {
            counted.fetch_add(1, Ordering::SeqCst);
            return (200, table("ACTIVE", "ALL").to_string());
        }
        (
            200,
            json!({"Items": [], "Count": 0, "ScannedCount": 0}).to_string(),
        )
    });
    let store = DynamoDbStore::connect(dynamodb_settings(&endpoint)).await;
    for _ in 0..5 {
        store.list(&of_a_type()).await.unwrap();
        store.list(&all_of("someone")).await.unwrap();
    }
    assert_eq!(looks.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn other_rejections_of_a_query_are_returned() {
    let endpoint = fake_server::serve(|operation, _| match operation {
        "DescribeTable" => (200, table("ACTIVE", "ALL").to_string()),
        _ => refusal("AccessDeniedException", "not authorized to query the index"),
    });
    let store = DynamoDbStore::connect(dynamodb_settings(&endpoint)).await;
    let fault = store.list(&of_a_type()).await.unwrap_err();
    assert!(
        matches!(fault, StoreError::Misconfigured { .. }),
        "{fault:?}"
    );
}
