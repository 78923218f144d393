//! Answers of queries, which the store reads by itself.

use std::sync::atomic::{AtomicUsize, Ordering};

use clarity_backend::domain::DataTypes;
use clarity_backend::store::{ReadingStore, StoreError};
use serde_json::{Value, json};

use super::answers;
use crate::backend::{connect_to_local, dynamodb_settings};
use crate::samples::{all_of, measurement, reading};

fn item() -> Value {
    let id = reading(measurement("someone", "2024-01-15T10:30:00Z")).id;
    json!({
        "created_at": {"S": "2024-06-01T08:00:00.123Z"},
        "data_id": {"S": id.to_string()},
        "data_type": {"S": "heart_rate"},
        "timestamp": {"S": "2024-01-15T10:30:00Z"},
        "type_key": {"S": "someone#heart_rate"},
        "user_id": {"S": "someone"},
        "value": {"N": "72"},
    })
}

/// An attempt that fails is followed by another, whose answer is taken.
#[tokio::test]
async fn are_read_after_attempts_that_failed() {
    for first in [
        (500, json!({"__type": "InternalServerError"})),
        (400, json!({"__type": "ThrottlingException"})),
    ] {
        let attempts = AtomicUsize::new(0);
        let endpoint = answers::serve(move |operation, _| {
            assert_eq!(operation, "Query");
            let (status, body) = match attempts.fetch_add(1, Ordering::SeqCst) {
                0 => first.clone(),
                _ => (
                    200,
                    json!({"Items": [item()], "Count": 1, "ScannedCount": 1}),
                ),
            };
            (status, body.to_string())
        });
        let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
        let page = store.list(&all_of("someone")).await.unwrap();
        let expected = reading(measurement("someone", "2024-01-15T10:30:00Z"));
        assert_eq!(page.readings, [expected]);
        assert_eq!(page.next, None);
    }
}

/// Half an answer, other JSON, no JSON at all, and nothing.
#[tokio::test]
async fn that_cannot_be_read_are_unavailable_and_are_not_repeated() {
    let whole = json!({"Items": [item()]}).to_string();
    for body in [
        whole[..whole.len() / 2].to_owned(),
        json!({"Items": answers::SECRET}).to_string(),
        json!({"Items": [{"user_id": {"S": [answers::SECRET]}}]}).to_string(),
        format!("<html>{}</html>", answers::SECRET),
        String::new(),
    ] {
        let endpoint = answers::serve(move |_, _| (200, body.clone()));
        let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
        let error = store.list(&all_of("someone")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        assert!(!format!("{error:?}").contains(answers::SECRET), "{error:?}");
    }
}

/// An index that has gone is noticed from what DynamoDB says of a query.
#[tokio::test]
async fn that_name_the_index_make_the_store_read_the_table() {
    let endpoint = answers::serve(|operation, body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let (status, answer) = match operation {
            "DescribeTable" => {
                let keys = [key("type_key", "HASH"), key("data_id", "RANGE")];
                let index = json!({
                    "IndexName": "by-type", "IndexStatus": "ACTIVE", "KeySchema": keys,
                    "Projection": {"ProjectionType": "ALL"},
                });
                let indexes = json!({"GlobalSecondaryIndexes": [index]});
                (200, json!({"Table": indexes}))
            }
            "Query" if body.get("IndexName").is_some() => (
                400,
                json!({
                    "__type": "com.amazon.coral.validate#ValidationException",
                    "message": "The table does not have the specified index: by-type",
                }),
            ),
            _ => (
                200,
                json!({"Items": [item()], "Count": 1, "ScannedCount": 1}),
            ),
        };
        (status, answer.to_string())
    });
    let store = connect_to_local(&dynamodb_settings(&endpoint)).await;
    let mut query = all_of("someone");
    query.data_types = DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap();
    assert_eq!(store.list(&query).await.unwrap().readings.len(), 1);
}
