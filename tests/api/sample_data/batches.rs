//! All sample readings, stored in batches and read back by list and export.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::sample_data::single_readings::{client_members, read_samples};
use crate::support::app::TestApp;

pub const FILES: [&str; 4] = [
    "apple_sample.jsonl",
    "fitbit_hr_seconds.jsonl",
    "hall_cgm.jsonl",
    "lifesnaps_daily.jsonl",
];

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "../shared/data is missing")]
async fn all_sample_readings_round_trip_on_the_embedded_store() {
    check_round_trip(&TestApp::start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(sample_data), ignore = "../shared/data is missing")]
async fn all_sample_readings_round_trip_on_dynamodb() {
    check_round_trip(&TestApp::start_on_dynamodb().await).await;
}

async fn check_round_trip(app: &TestApp) {
    let readings: Vec<Value> = FILES.into_iter().flat_map(read_samples).collect();
    assert_eq!(readings.len(), 35_483);
    let mut users: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for reading in &readings {
        let user_id = reading["user_id"].as_str().unwrap();
        users.entry(user_id).or_default().push(reading.clone());
    }
    assert_eq!(users.len(), 17);
    // Sending them again changes nothing.
    for _ in 0..2 {
        send_in_batches(app, &readings).await;
        for (user_id, sent) in &users {
            let (listed, exported) = tokio::join!(list_all(app, user_id), export(app, user_id));
            assert_eq!(listed, exported, "{user_id}: export and list differ");
            assert!(client_members(&listed) == client_members(sent), "{user_id}");
        }
    }
}

/// Sends all readings in batches of 5,000, and checks that each is stored.
pub async fn send_in_batches(app: &TestApp, readings: &[Value]) {
    for batch in readings.chunks(5_000) {
        let body = json!({"readings": batch}).to_string();
        let response = app.post_raw("/api/v1/data/batch", body).await;
        let response = response.expect(StatusCode::OK);
        assert_eq!(response["stored"], batch.len());
    }
}

/// Lists all readings of a user, oldest first.
async fn list_all(app: &TestApp, user_id: &str) -> Vec<Value> {
    let mut listed = Vec::new();
    let first = format!("/api/v1/data/{user_id}?limit=1000&order=asc");
    let mut path = first.clone();
    loop {
        let page = app.get(&path).await.expect(StatusCode::OK);
        listed.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => return listed,
        }
    }
}

async fn export(app: &TestApp, user_id: &str) -> Vec<Value> {
    let path = format!("/api/v1/data/{user_id}/export");
    let request = app.request(reqwest::Method::GET, &path);
    let text = request.send().await.unwrap().text().await.unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines: Vec<Value> = lines.collect();
    let last = lines.pop().unwrap();
    assert_eq!(last, json!({"complete": true, "count": lines.len()}));
    lines
}
