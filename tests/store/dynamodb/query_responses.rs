//! Responses to queries, parsed by the service and by the SDK.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use clarity_backend::domain::DataTypes;
use clarity_backend::store::{DynamoDbSettings, DynamoDbStore, ReadingStore, StoreError};
use serde_json::{Value, json};

use super::fake_server;
use super::raw::{map, number, store_with, text};
use crate::backend::{connect_to_local, dynamodb_settings};
use crate::samples::{all_of, measurement, reading};

/// A store at `endpoint` that parses with each of the two parsers.
async fn stores_at(endpoint: &str) -> [DynamoDbStore; 2] {
    stores_with(&dynamodb_settings(endpoint)).await
}

async fn stores_with(settings: &DynamoDbSettings) -> [DynamoDbStore; 2] {
    let connect = async |fast_query_parser| {
        connect_to_local(&DynamoDbSettings {
            fast_query_parser,
            ..settings.clone()
        })
        .await
    };
    [connect(true).await, connect(false).await]
}

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

#[tokio::test]
async fn response_after_a_failed_attempt_is_used() {
    for (first, fast) in [
        ((500, json!({"__type": "InternalServerError"})), true),
        ((400, json!({"__type": "ThrottlingException"})), true),
        ((500, json!({"__type": "InternalServerError"})), false),
        ((400, json!({"__type": "ThrottlingException"})), false),
    ] {
        let attempts = AtomicUsize::new(0);
        let endpoint = fake_server::serve(move |operation, _| {
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
        let [with_fast, with_sdk] = stores_at(&endpoint).await;
        let store = if fast { with_fast } else { with_sdk };
        let page = store.list(&all_of("someone")).await.unwrap();
        let expected = reading(measurement("someone", "2024-01-15T10:30:00Z"));
        assert_eq!(page.readings, [expected]);
        assert_eq!(page.next, None);
    }
}

/// A truncated response, a wrong type, no JSON, and an empty body, which the SDK's
/// parser takes for an empty page.
#[tokio::test]
async fn unreadable_response_is_unavailable_and_not_retried() {
    let whole = json!({"Items": [item()]}).to_string();
    for body in [
        whole[..whole.len() / 2].to_owned(),
        json!({"Items": fake_server::SECRET}).to_string(),
        json!({"Items": [{"user_id": {"S": [fake_server::SECRET]}}]}).to_string(),
        format!("<html>{}</html>", fake_server::SECRET),
        String::new(),
    ] {
        let is_empty = body.is_empty();
        let endpoint = fake_server::serve(move |_, _| (200, body.clone()));
        let [with_fast, with_sdk] = stores_at(&endpoint).await;
        let with_sdk = Some(with_sdk).filter(|_| !is_empty);
        for store in [Some(with_fast), with_sdk].into_iter().flatten() {
            let error = store.list(&all_of("someone")).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            assert!(
                !format!("{error:?}").contains(fake_server::SECRET),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn rejection_that_names_the_index_makes_the_store_read_the_table() {
    let endpoint = fake_server::serve(|operation, body| {
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
    for store in stores_at(&endpoint).await {
        let mut query = all_of("someone");
        query.data_types = DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap();
        assert_eq!(store.list(&query).await.unwrap().readings.len(), 1);
    }
}

/// The fast parser is a replacement for the SDK's: whatever DynamoDB holds, both lead
/// to the same pages.
#[tokio::test]
async fn both_parsers_return_the_same_pages() {
    let id = |minute: u32| {
        let timestamp = format!("2024-01-15T10:{minute:02}:00Z");
        (reading(measurement("someone", &timestamp)).id, timestamp)
    };
    let complete = |minute| {
        let (id, timestamp) = id(minute);
        map([
            ("user_id", text("someone")),
            ("data_id", text(&id.to_string())),
            ("type_key", text("someone#heart_rate")),
            ("data_type", text("heart_rate")),
            ("value", number("72.50")),
            ("timestamp", text(&timestamp)),
            ("created_at", text("2024-06-01T08:00:00.123Z")),
            ("unit", text("/min")),
            ("unknown", text("ignored")),
            (
                "metadata",
                AttributeValue::M(map([
                    ("quoted \"é\"", text("line\nbreak")),
                    (
                        "numbers",
                        AttributeValue::L(vec![number("1"), number("1e30")]),
                    ),
                    ("null", AttributeValue::Null(true)),
                    ("flag", AttributeValue::Bool(false)),
                ])),
            ),
        ])
    };
    let mut foreign = complete(1);
    foreign.insert("data_id".to_owned(), text("018d-not-a-reading"));
    let mut without_type_key = complete(2);
    without_type_key.remove("type_key");
    let mut other_type = complete(3);
    other_type.insert("data_type".to_owned(), text("steps"));
    let readable = [
        complete(0),
        foreign,
        without_type_key,
        other_type,
        complete(4),
    ];
    let backend = store_with(readable).await;
    let stores = stores_with(backend.settings()).await;
    for limit in [1, 2, 50] {
        for types in [vec![], vec!["heart_rate".parse().unwrap()]] {
            let mut query = all_of("someone");
            query.limit = limit.try_into().unwrap();
            query.data_types = DataTypes::try_from(types).unwrap();
            loop {
                let [fast, sdk] = [&stores[0], &stores[1]];
                let page = fast.list(&query).await.unwrap();
                assert_eq!(sdk.list(&query).await.unwrap(), page);
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
        }
    }
    assert_eq!(
        stores[1]
            .list(&all_of("someone"))
            .await
            .unwrap()
            .readings
            .len(),
        4
    );

    let mut corrupt = complete(5);
    corrupt.insert("value".to_owned(), text("72"));
    let backend = store_with([corrupt]).await;
    for store in stores_with(backend.settings()).await {
        let page = store.list(&all_of("someone")).await.unwrap();
        assert_eq!(page.readings, []);
        assert_eq!(page.unreadable.len(), 1);
    }
}
