//! A fake DynamoDB with constant responses at negligible cost, so that a measurement
//! covers the service alone.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::IntoResponse;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Number of readings in a query result.
pub const READINGS_FOUND: usize = 50;

/// Serves on `address` until the process is terminated.
pub async fn serve(address: &str) {
    let answers: HashMap<&'static str, Bytes> = [
        ("DescribeTable", describe_table()),
        ("PutItem", json!({})),
        ("GetItem", json!({})),
        ("DeleteItem", json!({})),
        ("BatchWriteItem", json!({"UnprocessedItems": {}})),
        (
            "BatchGetItem",
            json!({"Responses": {}, "UnprocessedKeys": {}}),
        ),
        ("Query", query()),
    ]
    .map(|(operation, answer)| (operation, answer.to_string().into()))
    .into();
    let answers = Arc::new(answers);
    let router = Router::new().fallback(async move |headers: HeaderMap, _body: Bytes| {
        let target = headers.get("x-amz-target").map(HeaderValue::as_bytes);
        let target = str::from_utf8(target.unwrap_or_default()).unwrap();
        let (_, operation) = target.rsplit_once('.').unwrap();
        let answer = answers[operation].clone();
        (
            [(header::CONTENT_TYPE, "application/x-amz-json-1.0")],
            answer,
        )
            .into_response()
    });
    let listener = TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

fn describe_table() -> Value {
    json!({"Table": {
        "TableName": "clarity-health-data",
        "TableStatus": "ACTIVE",
        "KeySchema": [
            {"AttributeName": "user_id", "KeyType": "HASH"},
            {"AttributeName": "data_id", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-type",
            "IndexStatus": "ACTIVE",
            "KeySchema": [
                {"AttributeName": "type_key", "KeyType": "HASH"},
                {"AttributeName": "data_id", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }],
    }})
}

/// Items as the service stores them: one reading per hour, newest first.
fn query() -> Value {
    let items: Vec<Value> = (0..READINGS_FOUND)
        .map(|index| {
            let (day, hour) = (15 - index / 24, 23 - index % 24);
            let time = format!("2024-01-{day:02}T{hour:02}:30:00Z");
            json!({
                "user_id": {"S": "user123"},
                "data_id": {"S": data_id(&time, index)},
                "type_key": {"S": "user123#heart_rate"},
                "data_type": {"S": "heart_rate"},
                "value": {"N": format!("{}", 60 + index)},
                "timestamp": {"S": time},
                "created_at": {"S": "2024-01-15T23:59:59.123Z"},
                "metadata": {"M": {
                    "device": {"S": "watch"},
                    "confidence": {"N": "0.95"},
                }},
                "unit": {"S": "bpm"},
            })
        })
        .collect();
    json!({"Items": items, "Count": READINGS_FOUND, "ScannedCount": READINGS_FOUND})
}

/// Returns a UUID version 8 that starts with the milliseconds of its time, like reading
/// ids.
fn data_id(time: &str, index: usize) -> String {
    let milliseconds = time.parse::<Timestamp>().unwrap().as_millisecond();
    let mut bytes = [0xc1; 16];
    bytes[..6].copy_from_slice(&milliseconds.to_be_bytes()[2..]);
    bytes[15] = u8::try_from(index).unwrap();
    Uuid::new_v8(bytes).to_string()
}
