//! Lower bound for any service on this SDK: a bare loop that sends the same requests to
//! DynamoDB, without a server around it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue::{M, N, S};
use clap::ValueEnum;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::canned::READINGS_FOUND;
use crate::process::own_cpu;

/// Operation of the loop.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Call {
    /// Writes one reading.
    Put,
    /// Reads the newest fifty.
    Query,
}

/// Sends `requests` operations, with this concurrency, and prints the CPU microseconds
/// of each.
pub async fn run(endpoint: &str, call: Call, connections: usize, requests: usize) {
    let client = client(endpoint).await;
    // The first calls open the connections.
    repeat(&client, call, connections, connections * 10).await;
    let before = own_cpu();
    repeat(&client, call, connections, requests).await;
    let spent = own_cpu() - before;
    println!("{}", spent.as_secs_f64() * 1e6 / requests as f64);
}

async fn client(endpoint: &str) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "load"))
        .timeout_config(timeouts)
        .endpoint_url(endpoint)
        .load()
        .await;
    Client::new(&config)
}

async fn repeat(client: &Client, call: Call, connections: usize, requests: usize) {
    let left = Arc::new(AtomicUsize::new(requests));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (client, left) = (client.clone(), Arc::clone(&left));
        tasks.spawn(async move {
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
            {
                match call {
                    Call::Put => put(&client).await,
                    Call::Query => query(&client).await,
                }
            }
        });
    }
    tasks.join_all().await;
}

async fn put(client: &Client) {
    let text = |text: &str| S(text.to_owned());
    let id = Uuid::new_v8(*Uuid::new_v4().as_bytes());
    client
        .put_item()
        .table_name("clarity-health-data")
        .item("user_id", text("user123"))
        .item("data_id", S(id.to_string()))
        .item("type_key", text("user123#heart_rate"))
        .item("data_type", text("heart_rate"))
        .item("value", N("72".to_owned()))
        .item("timestamp", text("2024-01-15T10:30:00Z"))
        .item("created_at", text("2024-01-15T10:30:01.123Z"))
        .item("unit", text("bpm"))
        .item(
            "metadata",
            M(HashMap::from([("device".to_owned(), text("watch"))])),
        )
        .condition_expression("attribute_not_exists(data_id)")
        .send()
        .await
        .unwrap();
}

async fn query(client: &Client) {
    let answer = client
        .query()
        .table_name("clarity-health-data")
        .key_condition_expression("user_id = :user")
        .expression_attribute_values(":user", S("user123".to_owned()))
        .consistent_read(true)
        .scan_index_forward(false)
        .limit(51)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.count(), i32::try_from(READINGS_FOUND).unwrap());
}
