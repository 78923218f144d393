//! Limits on connections, and graceful shutdown with idle, slow and active
//! connections.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::fake_gemini::{self, FakeGemini, Scripted};
use crate::service::Service;

pub const KEY: &str = "Host: x\r\nX-API-Key: development-key\r\n";

/// A service and a connection to it.
pub struct Client {
    _directory: TempDir,
    pub service: Service,
    pub connection: TcpStream,
}

impl Client {
    fn connect(service: Service, directory: TempDir) -> Self {
        let connection = TcpStream::connect(service.url.trim_start_matches("http://")).unwrap();
        connection
            .set_read_timeout(Some(Duration::from_secs(40)))
            .unwrap();
        Self {
            _directory: directory,
            service,
            connection,
        }
    }

    pub fn start(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::start(directory.path(), variables);
        Self::connect(service, directory)
    }

    pub fn send(&mut self, text: &str) {
        self.connection.write_all(text.as_bytes()).unwrap();
    }

    /// Waits for data and returns what has arrived.
    pub fn read_some(&mut self) -> String {
        let mut buffer = [0; 4_096];
        let count = self.connection.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    pub fn read_to_end(&mut self) -> String {
        let mut received = Vec::new();
        match self.connection.read_to_end(&mut received) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8_lossy(&received).into_owned()
    }

    /// Sends SIGTERM and checks that the service exits in time, with status 0 and
    /// without aborting a request. Returns the data received until then.
    fn stop(mut self) -> String {
        self.service.signal("TERM");
        let signalled = Instant::now();
        let received = self.read_to_end();
        let (status, log) = self.service.wait();
        assert!(status.success(), "{log}");
        assert!(
            signalled.elapsed() < MAX_STOP_TIME,
            "{:?}: {log}",
            signalled.elapsed()
        );
        assert!(!log.contains("in flight"), "{log}");
        received
    }
}

/// Far more than a shutdown takes, since the machine may be busy, and far less than
/// the default connection timeouts and shutdown deadline.
const MAX_STOP_TIME: Duration = Duration::from_secs(15);

/// Gives the service time to accept the connection and read what was sent.
fn wait_until_the_service_has_read() {
    std::thread::sleep(Duration::from_millis(500));
}

fn post(path: &str, accept: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\n{KEY}Accept: {accept}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn silent_connection_does_not_delay_shutdown() {
    let client = Client::start(&[]);
    wait_until_the_service_has_read();
    assert_eq!(client.stop(), "");
}

#[test]
fn idle_keep_alive_connection_does_not_delay_shutdown() {
    let mut client = Client::start(&[]);
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(client.read_some().starts_with("HTTP/1.1 200"));
    assert_eq!(client.stop(), "");
}

#[test]
fn incomplete_header_does_not_delay_shutdown() {
    let mut client = Client::start(&[]);
    client.send("GET /health HTTP/1.1\r\nHost:");
    assert_eq!(client.stop(), "");
}

#[test]
fn incomplete_second_header_does_not_delay_shutdown() {
    let mut client = Client::start(&[]);
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(client.read_some().starts_with("HTTP/1.1 200"));
    client.send("GET /health HTTP/1.1\r\nHost:");
    assert_eq!(client.stop(), "");
}

#[test]
fn incomplete_body_gets_408_at_its_deadline() {
    let mut client = Client::start(&[("DATA_DEADLINE", "2")]);
    let whole = post("/api/v1/data", "*/*", READING);
    client.send(&whole[..whole.len() - 10]);
    wait_until_the_service_has_read();
    let response = client.stop();
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
    assert!(response.contains("body_too_slow"), "{response}");
}

#[test]
fn client_that_does_not_read_does_not_delay_shutdown() {
    let mut client = Client::start(&[("WRITE_TIMEOUT", "2")]);
    // More responses than the socket buffers of both sides hold.
    for _ in 0..2_000 {
        let request = format!("GET /openapi.json HTTP/1.1\r\n{KEY}\r\n");
        if client.connection.write_all(request.as_bytes()).is_err() {
            break;
        }
    }
    let signalled = Instant::now();
    let (status, log) = client.service.stop("TERM");
    assert!(status.success(), "{log}");
    assert!(
        signalled.elapsed() < MAX_STOP_TIME,
        "{:?}: {log}",
        signalled.elapsed()
    );
}

#[test]
fn requests_aborted_at_the_shutdown_deadline_are_logged() {
    let settings = [("SHUTDOWN_DEADLINE", "2"), ("DATA_DEADLINE", "55")];
    let mut client = Client::start(&settings);
    let whole = post("/api/v1/data", "*/*", READING);
    client.send(&whole[..whole.len() - 10]);
    wait_until_the_service_has_read();
    let signalled = Instant::now();
    let (status, log) = client.service.stop("TERM");
    assert!(status.success(), "{log}");
    assert!(
        signalled.elapsed() < MAX_STOP_TIME,
        "{:?}: {log}",
        signalled.elapsed()
    );
    assert!(log.contains("stopped with requests in flight"), "{log}");
}

const READING: &str = r#"{"user_id":"user123","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:30:00Z"}"#;

#[test]
fn request_in_flight_completes_during_shutdown() {
    let mut client = Client::start(&[]);
    let whole = post("/api/v1/data", "*/*", READING);
    let (first, second) = whole.split_at(whole.len() - 20);
    client.send(first);
    // By now the request has reached its handler.
    wait_until_the_service_has_read();
    client.service.signal("TERM");
    // By now the shutdown is in progress.
    std::thread::sleep(Duration::from_secs(2));
    client.send(second);
    let response = client.read_to_end();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("connection: close"), "{response}");
    let (status, log) = client.service.wait();
    assert!(status.success(), "{log}");
}

/// Starts a service whose model delays each response.
async fn start_with_a_slow_model() -> (Client, FakeGemini) {
    let gemini = FakeGemini::start().await;
    for _ in 0..3 {
        let reply = Scripted::reply("Your readings are fine.");
        gemini.enqueue(reply.after(Duration::from_millis(1_500)));
    }
    let base_url = gemini.base_url();
    let client = Client::start(&[
        ("GEMINI_API_KEY", fake_gemini::KEY),
        ("GEMINI_BASE_URL", base_url.as_str()),
    ]);
    let reading = json!({
        "user_id": "user123", "data_type": "steps", "value": 4200,
        "timestamp": "2024-01-15T10:30:00Z",
    });
    assert_eq!(client.service.post("/api/v1/data", &reading).await.0, 200);
    (client, gemini)
}

const QUESTION: &str = r#"{"user_id":"user123","query":"How many steps did I take?"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn insight_in_flight_completes_during_shutdown() {
    let (mut client, gemini) = start_with_a_slow_model().await;
    client.send(&post("/api/v1/insights", "application/json", QUESTION));
    wait_until_the_service_has_read();
    let response = tokio::task::spawn_blocking(|| client.stop()).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("connection: close"), "{response}");
    assert!(response.ends_with('}'), "{response}");
    assert!(!gemini.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn insight_stream_completes_during_shutdown() {
    let (mut client, gemini) = start_with_a_slow_model().await;
    client.send(&post("/api/v1/insights", "text/event-stream", QUESTION));
    wait_until_the_service_has_read();
    let response = tokio::task::spawn_blocking(|| client.stop()).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("text/event-stream"), "{response}");
    assert!(response.ends_with("\r\n0\r\n\r\n"), "{response}");
    assert!(!gemini.requests().is_empty());
}

#[test]
fn responses_during_shutdown_grace_close_the_connection() {
    let mut client = Client::start(&[("SHUTDOWN_GRACE", "5")]);
    client.service.signal("TERM");
    std::thread::sleep(Duration::from_secs(1));
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    let response = client.read_to_end();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("connection: close"), "{response}");
    let (status, log) = client.service.wait();
    assert!(status.success(), "{log}");
}

#[test]
fn second_signal_stops_the_service_immediately() {
    let client = Client::start(&[("SHUTDOWN_GRACE", "20")]);
    client.service.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    let signalled = Instant::now();
    let (status, log) = client.service.stop("INT");
    assert!(status.success(), "{log}");
    assert!(log.contains("terminated without draining"), "{log}");
    assert!(signalled.elapsed() < MAX_STOP_TIME, "{log}");
}

#[test]
fn idle_connection_is_closed_after_idle_timeout() {
    for sent in ["", "GET /health HTTP/1.1\r\nHost:"] {
        let mut client = Client::start(&[("IDLE_TIMEOUT", "1")]);
        client.send(sent);
        let response = client.read_to_end();
        assert!(!response.contains("200 OK"), "{response}");
    }
}

#[test]
fn connection_beyond_max_connections_waits_for_a_free_slot() {
    let mut first = Client::start(&[("MAX_CONNECTIONS", "1")]);
    first.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(first.read_some().starts_with("HTTP/1.1 200"));
    let mut second = TcpStream::connect(first.service.url.trim_start_matches("http://")).unwrap();
    let request = format!("GET /health HTTP/1.1\r\n{KEY}Connection: close\r\n\r\n");
    second.write_all(request.as_bytes()).unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(second.read(&mut [0]).is_err(), "it is not served yet");
    first.connection.shutdown(std::net::Shutdown::Both).unwrap();
    second
        .set_read_timeout(Some(Duration::from_secs(40)))
        .unwrap();
    let mut response = String::new();
    second.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn header_above_16_kib_is_rejected() {
    let mut client = Client::start(&[]);
    client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ");
    let _ = client.connection.write_all(&vec![b'x'; 24 * 1_024]);
    let response = client.read_to_end();
    assert!(response.starts_with("HTTP/1.1 431"), "{response}");
}
