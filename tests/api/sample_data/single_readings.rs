//! A day of heart rates from a wearable: 8,418 readings, each sent twice.

use std::collections::HashSet;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::app::TestApp;

const USER: &str = "fitbit-2022484408";
const CLIENTS: usize = 32;

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "../shared/data is missing")]
async fn day_of_heart_rates_round_trips_on_the_embedded_store() {
    check_round_trip(TestApp::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "../shared/data is missing")]
async fn day_of_heart_rates_round_trips_on_dynamodb() {
    check_round_trip(TestApp::start_on_dynamodb().await).await;
}

async fn check_round_trip(app: TestApp) {
    let app = Arc::new(app);
    let readings = Arc::new(read_samples("fitbit_hr_seconds.jsonl"));
    assert_eq!(readings.len(), 8_418);
    for _ in 0..2 {
        send_all(&app, &readings).await;
    }
    let listed = list_all(&app).await;
    assert_eq!(listed.len(), readings.len());
    let ids: HashSet<&str> = listed
        .iter()
        .map(|reading| reading["data_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), readings.len(), "each reading is stored once");
    assert!(
        listed
            .windows(2)
            .all(|pair| pair[0]["timestamp"].as_str() >= pair[1]["timestamp"].as_str()),
        "newest first"
    );
    assert_eq!(client_members(&listed), client_members(&readings));
    check_insight(&app, &readings).await;
}

/// Reads all readings of a sample file.
pub fn read_samples(file: &str) -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data");
    let lines = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Sends each reading in its own request, by [`CLIENTS`] concurrent clients.
async fn send_all(app: &Arc<TestApp>, readings: &Arc<Vec<Value>>) {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (app, readings) = (Arc::clone(app), Arc::clone(readings));
        clients.spawn(async move {
            for reading in readings.iter().skip(client).step_by(CLIENTS) {
                app.post(reading).await.expect(StatusCode::OK);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

async fn list_all(app: &TestApp) -> Vec<Value> {
    let mut listed = Vec::new();
    let mut path = format!("/api/v1/data/{USER}?limit=1000");
    loop {
        let page = app.get(&path).await.expect(StatusCode::OK);
        listed.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/data/{USER}?limit=1000&cursor={cursor}"),
            None => return listed,
        }
    }
}

/// Returns the members that the client sent, as sorted JSON texts.
pub fn client_members(readings: &[Value]) -> Vec<String> {
    let mut client_members: Vec<String> = readings
        .iter()
        .map(|reading| {
            let members = ["user_id", "data_type", "value", "timestamp", "metadata"];
            json!(members.map(|member| &reading[member])).to_string()
        })
        .collect();
    client_members.sort_unstable();
    client_members
}

async fn check_insight(app: &TestApp, readings: &[Value]) {
    let values: Vec<f64> = readings
        .iter()
        .map(|reading| reading["value"].as_f64().unwrap())
        .collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let question = json!({"user_id": USER, "query": "How was my heart rate?"});
    let response = app.post_raw("/api/v1/insights", question.to_string()).await;
    let response = response.expect(StatusCode::OK);
    let facts = response["findings"][0]["facts"].as_array().unwrap();
    let fact = |statistic: &str| {
        let fact = facts.iter().find(|fact| fact["statistic"] == statistic);
        fact.unwrap()["value"].as_f64().unwrap()
    };
    assert!((fact("mean") - mean).abs() < 1e-9);
    assert_eq!((fact("min"), fact("max")), (min, max));
    assert_eq!(fact("count"), readings.len() as f64);
    let text = response["insight"].as_str().unwrap();
    for shown in [
        format!("from {min} /min to {max} /min"),
        format!("mean {mean:.2}"),
        "8418 readings".to_owned(),
    ] {
        assert!(text.contains(&shown), "{shown:?} in {text:?}");
    }
}
