//! Load shedding, slow uploads and unread responses.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::app::{TestApp, config, example_with};
use crate::support::faulty_store::FaultyStore;

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Returns the head of a request that announces a body of `length` bytes.
fn request_head(path: &str, length: usize) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nX-API-Key: development-key\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// Opens `count` connections that have sent all but the last byte of a body.
async fn start_slow_uploads(
    app: &TestApp,
    count: usize,
    path: &str,
    length: usize,
) -> Vec<TcpStream> {
    let mut sent = request_head(path, length);
    sent.extend(vec![b' '; length - 1]);
    join_all((0..count).map(|_| app.connect(&sent))).await
}

async fn read_response(mut connection: TcpStream) -> String {
    let mut response = String::new();
    // Unread bytes of the request body may reset the connection after the response.
    let _ = connection.read_to_string(&mut response).await;
    response
}

#[tokio::test]
async fn slow_uploads_do_not_block_other_requests() {
    let app = TestApp::start().await;
    let slow = [
        start_slow_uploads(&app, 300 * cores(), "/api/v1/data", 10).await,
        start_slow_uploads(&app, 40 * cores(), "/api/v1/data/batch", 10).await,
        start_slow_uploads(&app, 40 * cores(), "/api/v1/insights", 10).await,
    ];
    let reading = example_with(json!({}));
    assert_eq!(app.post(&reading).await.status, 200);
    let batch = json!({"readings": [reading]}).to_string();
    let stored = app.post_raw("/api/v1/data/batch", batch).await;
    assert_eq!(stored.status, 200);
    assert_eq!(app.get("/api/v1/data/user123").await.status, 200);
    drop(slow);
}

#[tokio::test]
async fn slow_upload_times_out_with_408() {
    let app = TestApp::start_with(&[("DATA_DEADLINE", "1")]).await;
    let slow = start_slow_uploads(&app, 1, "/api/v1/data", 10).await;
    for connection in slow {
        let response = read_response(connection).await;
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
        assert!(response.contains("body_too_slow"), "{response}");
    }
}

#[tokio::test]
async fn memory_of_incoming_bodies_is_bounded() {
    let app = TestApp::start_with(&[("DATA_DEADLINE", "2")]).await;
    // The memory pool has room for 64 maximum bodies per core.
    let slow = start_slow_uploads(&app, 64 * cores() + 20, "/api/v1/data", 128 * 1024).await;
    let responses = join_all(slow.into_iter().map(read_response)).await;
    let shed: Vec<&String> = responses
        .iter()
        .filter(|response| response.starts_with("HTTP/1.1 503 "))
        .collect();
    assert!(shed.len() >= 20, "{}", shed.len());
    assert!(shed[0].contains("retry-after: 1"), "{}", shed[0]);
    // Their memory has been released.
    let reading = example_with(json!({}));
    assert_eq!(app.post(&reading).await.status, 200);
}

#[tokio::test]
async fn large_uploads_do_not_block_small_requests() {
    let app = TestApp::start().await;
    let largest = 8 * 1024 * 1024;
    let _slow = start_slow_uploads(&app, 2 * cores() + 1, "/api/v1/data/batch", largest).await;
    let reading = example_with(json!({}));
    assert_eq!(app.post(&reading).await.status, 200);
    let question = json!({"user_id": "user123", "query": "How am I?"}).to_string();
    let response = app.post_raw("/api/v1/insights", question).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn memory_of_unread_responses_is_bounded() {
    let app = TestApp::start_with(&[("DATA_DEADLINE", "55")]).await;
    let note = "x".repeat(16_000);
    let large =
        (0..255).map(|value| example_with(json!({"value": value, "metadata": {"note": note}})));
    let batch = json!({"readings": large.collect::<Vec<_>>()}).to_string();
    assert_eq!(app.post_raw("/api/v1/data/batch", batch).await.status, 200);
    let largest = "/api/v1/data/user123?limit=1000";
    let request =
        format!("GET {largest} HTTP/1.1\r\nHost: test\r\nX-API-Key: development-key\r\n\r\n");
    // Each response takes 4 MB of the 64 MiB per core.
    let mut unread = Vec::new();
    for _ in 0..17 * cores() {
        let socket = TcpSocket::new_v4().unwrap();
        // A small receive buffer keeps the response in the service's memory.
        socket.set_recv_buffer_size(4_096).unwrap();
        let connection = app.connect_with(socket, request.as_bytes()).await;
        // Waits until its response has started.
        connection.readable().await.unwrap();
        unread.push(connection);
    }
    app.get(largest).await.expect_problem(503, "overloaded");
    assert_eq!(app.get("/api/v1/data/user123?limit=1").await.status, 200);
    drop(unread);
    while app.get(largest).await.status != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn excess_requests_are_shed_but_health_checks_are_not() {
    let (store, directory) = FaultyStore::new();
    store.slow_down_reads();
    let settings = config(&[("DATA_DEADLINE", "3")]);
    let app =
        TestApp::start_with_config_and_store(&settings, Arc::new(store), Some(directory)).await;
    let capacity = 64 * cores();
    let list = (0..2 * capacity + 20).map(|_| app.get("/api/v1/data/user123?limit=1"));
    let health = async {
        for _ in 0..20 {
            assert_eq!(app.get("/health").await.status, 200);
        }
    };
    let (responses, ()) = tokio::join!(join_all(list), health);
    let (mut shed, mut timed_out) = (0, 0);
    for response in responses {
        if response.status == 503 {
            assert_eq!(response.headers["retry-after"], "1");
            response.expect_problem(503, "overloaded");
            shed += 1;
        } else {
            response.expect_problem(504, "deadline_exceeded");
            timed_out += 1;
        }
    }
    assert!(
        shed >= 20 && timed_out >= capacity,
        "{shed} shed, {timed_out} timed out"
    );
}
