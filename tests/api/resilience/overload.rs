//! Load shedding, slow uploads and unread responses.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::api_keys::{SCOPES, entry};
use crate::support::app::{ApiResponse, TestApp, config, example_with};
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
    // One principal may have 64 maximum bodies per core in memory, or twice as many that
    // shrink to half.
    let slow = start_slow_uploads(&app, 128 * cores() + 40, "/api/v1/data", 128 * 1024).await;
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
    // Each response takes 4 MB of the 24 MiB per core that one principal may have.
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
async fn uploads_beyond_memory_wait_for_each_other() {
    let app = TestApp::start().await;
    let length = 8 * 1024 * 1024;
    // Twice what fits at once, all begun at the same time. What they send is not JSON,
    // so that they cost little but memory.
    let uploads = (0..28 * cores()).map(|upload| {
        let mut sent = request_head("/api/v1/data/batch", length);
        let mut noise = u32::try_from(upload).unwrap();
        sent.extend((0..length).map(|_| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (noise >> 24) as u8
        }));
        async {
            let connection = app.connect(&sent).await;
            drop(sent);
            read_response(connection).await
        }
    });
    for response in join_all(uploads).await {
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    }
}

#[tokio::test]
async fn stalled_upload_is_cut_off_long_before_its_deadline() {
    let app = TestApp::start().await;
    let start = std::time::Instant::now();
    let stalled = start_slow_uploads(&app, 1, "/api/v1/data/batch", 8 * 1024 * 1024).await;
    for connection in stalled {
        let response = read_response(connection).await;
        assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    }
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn upload_is_asked_to_continue_when_there_is_memory_for_it() {
    let app = TestApp::start_with(&[("BULK_DEADLINE", "3")]).await;
    let length = 8 * 1024 * 1024;
    let announce = || {
        let head = String::from_utf8(request_head("/api/v1/data/batch", length)).unwrap();
        head.replace("Content-Type", "Expect: 100-continue\r\nContent-Type")
    };
    let mut first = app.connect(announce().as_bytes()).await;
    let mut interim = [0; 12];
    first.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");
    let heads = (1..20 * cores()).map(|_| async { app.connect(announce().as_bytes()).await });
    let others = join_all(heads).await;
    let responses = join_all(others.into_iter().map(read_response)).await;
    let refused: Vec<&String> = responses
        .iter()
        .filter(|response| !response.contains("HTTP/1.1 100 "))
        .collect();
    // Nine of the largest bodies per core fit.
    assert!(refused.len() >= 9 * cores(), "{}", refused.len());
    for response in refused {
        assert!(response.starts_with("HTTP/1.1 503 "), "{response}");
    }
}

#[tokio::test]
async fn slow_downloads_of_one_principal_leave_others_alone() {
    let keys = json!([
        entry("greedy", "greedy-key", &SCOPES, &["*"]),
        entry("other", "other-key", &SCOPES, &["*"]),
    ]);
    let app = TestApp::start_with(&[("CLARITY_API_KEYS", &keys.to_string())]).await;
    let note = "x".repeat(16_000);
    let large =
        (0..255).map(|value| example_with(json!({"value": value, "metadata": {"note": note}})));
    let batch = json!({"readings": large.collect::<Vec<_>>()}).to_string();
    let stored = app.request_with_key("other-key", Method::POST, "/api/v1/data/batch");
    let stored = stored
        .header("Content-Type", "application/json")
        .body(batch);
    assert_eq!(ApiResponse::from_request(stored).await.status, 200);
    let mut unread = Vec::new();
    for path in ["user123/export", "user123?limit=1000"] {
        let request = format!(
            "GET /api/v1/data/{path} HTTP/1.1\r\nHost: test\r\nX-API-Key: greedy-key\r\n\r\n"
        );
        for _ in 0..30 * cores() {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4_096).unwrap();
            unread.push(app.connect_with(socket, request.as_bytes()).await);
        }
    }
    join_all(unread.iter().map(TcpStream::readable)).await;
    let paths = [
        "user123/export",
        "user123?limit=1000",
        "user123?limit=50",
        "user123/summary",
    ];
    for path in paths {
        let path = format!("/api/v1/data/{path}");
        let request = app.request_with_key("other-key", Method::GET, &path);
        let response = ApiResponse::from_request(request).await;
        assert_eq!(response.status, 200, "{path}: {}", response.body);
    }
    let question = json!({"user_id": "user123", "query": "How is my heart rate?"});
    let request = app.request_with_key("other-key", Method::POST, "/api/v1/insights");
    let response = ApiResponse::from_request(request.json(&question)).await;
    assert_eq!(response.status, 200, "{}", response.body);
    drop(unread);
}

#[tokio::test]
async fn client_that_repeats_after_rejections_is_slowed_down() {
    let app = TestApp::start_with(&[("RATE_LIMIT_READS", "1")]).await;
    assert_eq!(app.get("/api/v1/data/user123").await.status, 200);
    let start = std::time::Instant::now();
    // More than are answered at once.
    let rejected = (0..150 * cores()).map(|_| app.get("/api/v1/data/user123"));
    for response in join_all(rejected).await {
        assert_eq!(response.status, 429);
    }
    assert!(start.elapsed() >= Duration::from_secs(1));
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
