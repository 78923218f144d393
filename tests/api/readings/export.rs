//! Export of all readings of a user.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use flate2::read::GzDecoder;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::{TestApp, example, example_with};
use crate::support::faulty_store::FaultyStore;

/// Returns the headers and body of an export; no body if it ends abnormally.
async fn export(app: &TestApp, query: &str, accept: &str) -> (HeaderMap, Option<String>) {
    let request = app
        .request(Method::GET, &format!("/api/v1/data/user123/export{query}"))
        .header("Accept", accept);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers().clone();
    (headers, response.text().await.ok())
}

fn parse_lines(ndjson: &str) -> Vec<Value> {
    assert!(ndjson.ends_with('\n'));
    ndjson
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn store_readings(app: &TestApp, count: usize) {
    let readings: Vec<Value> = (0..count)
        .map(|index| {
            let data_type = if index % 3 == 0 {
                "steps"
            } else {
                "heart_rate"
            };
            example_with(json!({"value": index, "data_type": data_type}))
        })
        .collect();
    let body = json!({"readings": readings}).to_string();
    app.post_raw("/api/v1/data/batch", body)
        .await
        .expect(StatusCode::OK);
}

async fn check_export(app: &TestApp) {
    store_readings(app, 1_201).await;
    let (headers, text) = export(app, "", "*/*").await;
    assert_eq!(headers["content-type"], "application/x-ndjson");
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"readings.ndjson\""
    );
    let mut readings = parse_lines(&text.unwrap());
    assert_eq!(
        readings.pop(),
        Some(json!({"complete": true, "count": 1_201}))
    );
    let ids: BTreeSet<String> = readings
        .iter()
        .map(|reading| reading["data_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1_201);

    let (_, text) = export(app, "?data_type=steps", "*/*").await;
    let steps = parse_lines(&text.unwrap());
    assert_eq!(steps.last(), Some(&json!({"complete": true, "count": 401})));
    assert_eq!(steps[0]["data_type"], "steps");

    // Without the members that the service adds, an export is a valid batch.
    app.delete("/api/v1/data/user123")
        .await
        .expect(StatusCode::OK);
    for reading in &mut readings {
        let members = reading.as_object_mut().unwrap();
        members.remove("data_id").unwrap();
        members.remove("created_at").unwrap();
    }
    let body = json!({"readings": readings}).to_string();
    let response = app.post_raw("/api/v1/data/batch", body).await;
    assert_eq!(response.expect(StatusCode::OK)["stored"], 1_201);
    let (_, text) = export(app, "", "application/x-ndjson").await;
    let again = parse_lines(&text.unwrap()).into_iter();
    let again: BTreeSet<String> = again
        .filter_map(|reading| Some(reading.get("data_id")?.to_string()))
        .collect();
    assert_eq!(again, ids);
}

#[tokio::test]
async fn export_is_complete_and_can_be_resent() {
    check_export(&TestApp::start().await).await;
}

#[tokio::test]
async fn export_is_complete_and_can_be_resent_on_dynamodb() {
    check_export(&TestApp::start_on_dynamodb().await).await;
}

#[tokio::test]
async fn export_of_unknown_user_is_empty() {
    let app = TestApp::start().await;
    let (_, text) = export(&app, "", "*/*").await;
    assert_eq!(text.unwrap(), "{\"complete\":true,\"count\":0}\n");
    let (_, text) = export(&app, "", "text/csv").await;
    assert_eq!(text.unwrap().lines().count(), 1, "the header");
}

#[tokio::test]
async fn export_takes_range_and_rejects_paging_parameters() {
    let app = TestApp::start().await;
    for day in 1..=9 {
        let timestamp = format!("2024-01-{day:02}T00:00:00Z");
        app.post(&example_with(json!({"value": day, "timestamp": timestamp})))
            .await
            .expect(StatusCode::OK);
    }
    let range = "?start=2024-01-03T00:00:00Z&end=2024-01-06T00:00:00Z";
    let (_, text) = export(&app, range, "*/*").await;
    let values: Vec<_> = parse_lines(&text.unwrap())
        .iter()
        .filter_map(|line| line["value"].as_f64())
        .collect();
    assert_eq!(values, [3.0, 4.0, 5.0], "oldest first");
    let path = "/api/v1/data/user123/export";
    for (query, pointer) in [
        ("limit=5", "/limit"),
        ("order=asc", "/order"),
        ("start=x", "/start"),
        ("data_type=-", "/data_type"),
    ] {
        app.get(&format!("{path}?{query}"))
            .await
            .expect_field_errors(&[pointer]);
    }
}

#[tokio::test]
async fn csv_follows_rfc_4180_and_escapes_formulas() {
    let app = TestApp::start().await;
    let reading = example_with(json!({
        "value": -0.5,
        "unit": "=1+1",
        "client_record_id": "@r",
        "metadata": {"note": "a \"quoted\", long\nnote"}
    }));
    let stored = app.post(&reading).await.expect(StatusCode::OK);
    let (headers, text) = export(&app, "", "text/csv").await;
    assert_eq!(
        headers["content-type"],
        "text/csv; charset=utf-8; header=present"
    );
    assert_eq!(
        headers["content-disposition"],
        "attachment; filename=\"readings.csv\""
    );
    let data = &stored["data"];
    let text_of = |name: &str| data[name].as_str().unwrap();
    assert_eq!(
        text.unwrap(),
        format!(
            "data_id,user_id,data_type,value,timestamp,unit,metadata,client_record_id,client_record_version,created_at\r\n\
             {},user123,heart_rate,-0.5,2024-01-15T10:30:00Z,'=1+1,\"{{\"\"note\"\":\"\"a \\\"\"quoted\\\"\", long\\nnote\"\"}}\",'@r,0,{}\r\n",
            text_of("data_id"),
            text_of("created_at"),
        )
    );
}

#[tokio::test]
async fn export_is_compressed_on_request() {
    let app = TestApp::start().await;
    store_readings(&app, 1_000).await;
    let (headers, plain) = export(&app, "", "*/*").await;
    assert!(headers.get("content-encoding").is_none());
    let response = app
        .request(Method::GET, "/api/v1/data/user123/export")
        .header("Accept-Encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let compressed = response.bytes().await.unwrap();
    let plain = plain.unwrap();
    assert!(compressed.len() * 4 < plain.len());
    let mut decompressed = String::new();
    GzDecoder::new(&*compressed)
        .read_to_string(&mut decompressed)
        .unwrap();
    assert!(decompressed == plain);
}

#[tokio::test]
async fn store_failure_aborts_export() {
    let (store, directory) = FaultyStore::new();
    let store = Arc::new(store);
    let app = TestApp::start_with_store(store.clone(), Some(directory)).await;
    store_readings(&app, 1_201).await;
    for encoding in ["identity", "gzip"] {
        store.fail_after_pages(2);
        let request = app
            .request(Method::GET, "/api/v1/data/user123/export")
            .header("Accept-Encoding", encoding);
        // The connection may break before the headers have been flushed.
        let body = match request.send().await {
            Ok(response) => response.bytes().await,
            Err(error) => Err(error),
        };
        assert!(
            body.is_err(),
            "{encoding}: a truncated export looks complete"
        );
    }
    store.fail_after_pages(0);
    let response = app.get("/api/v1/data/user123/export").await;
    response.expect_problem(503, "store_unavailable");
    store.clear_faults();
    let (_, text) = export(&app, "", "*/*").await;
    assert!(
        text.unwrap()
            .ends_with("{\"complete\":true,\"count\":1201}\n")
    );
}

#[tokio::test]
async fn export_and_erasure_require_a_key() {
    let app = TestApp::start().await;
    app.post(&example()).await.expect(StatusCode::OK);
    for (method, path) in [
        (Method::GET, "/api/v1/data/user123/export"),
        (Method::DELETE, "/api/v1/data/user123"),
        (Method::POST, "/api/v1/data/batch"),
        (Method::GET, "/api/v1/data/batch"),
    ] {
        let response =
            crate::support::app::ApiResponse::from_request(app.anonymous(method, path)).await;
        response.expect_problem(401, "unauthorized");
    }
    assert_eq!(app.count("user123").await, 1);
}
