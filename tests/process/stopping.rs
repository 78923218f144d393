//! Connections that a client draws out, and what becomes of each when the
//! service is told to stop.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::service::Service;

const KEY: &str = "Host: x\r\nX-API-Key: development-key\r\n";

/// A service, a connection to it, and what has been sent on it.
struct Client {
    _directory: TempDir,
    service: Service,
    connection: TcpStream,
}

impl Client {
    fn of(service: Service, directory: TempDir) -> Self {
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

    fn start(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let service = Service::start(directory.path(), variables);
        Self::of(service, directory)
    }

    fn send(&mut self, text: &str) {
        self.connection.write_all(text.as_bytes()).unwrap();
    }

    /// What has come so far, at least something.
    fn read_some(&mut self) -> String {
        let mut buffer = [0; 4_096];
        let count = self.connection.read(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    }

    fn read_to_end(&mut self) -> String {
        let mut answer = Vec::new();
        match self.connection.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error}"),
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Tells the service to stop, which it must within `limit` and well.
    fn expect_end_within(self, limit: Duration) {
        let told = Instant::now();
        let (status, log) = self.service.stop("TERM");
        assert!(status.success(), "{log}");
        assert!(told.elapsed() < limit, "{:?}: {log}", told.elapsed());
    }
}

/// Far more than a stop takes, far less than the limits on connections.
const SOON: Duration = Duration::from_secs(15);

/// What the system kills a service for: it has 25 s.
const AT_LAST: Duration = Duration::from_secs(29);

#[test]
fn a_silent_connection_does_not_keep_it() {
    Client::start(&[]).expect_end_within(SOON);
}

#[test]
fn a_connection_between_two_requests_does_not_keep_it() {
    let mut client = Client::start(&[]);
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(client.read_some().starts_with("HTTP/1.1 200"));
    client.expect_end_within(SOON);
}

#[test]
fn half_a_header_does_not_keep_it() {
    let mut client = Client::start(&[]);
    client.send("GET /health HTTP/1.1\r\nHost:");
    client.expect_end_within(SOON);
}

#[test]
fn half_a_second_header_does_not_keep_it() {
    let mut client = Client::start(&[]);
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(client.read_some().starts_with("HTTP/1.1 200"));
    client.send("GET /health HTTP/1.1\r\nHost:");
    client.expect_end_within(SOON);
}

#[test]
fn a_body_that_does_not_end_does_not_keep_it() {
    let mut client = Client::start(&[]);
    client.send(&format!(
        "POST /api/v1/data HTTP/1.1\r\n{KEY}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    ));
    client.expect_end_within(AT_LAST);
}

#[test]
fn a_client_that_does_not_read_does_not_keep_it() {
    let mut client = Client::start(&[("WRITE_TIMEOUT", "2")]);
    // More than the buffers of both sides hold.
    for _ in 0..2_000 {
        let request = format!("GET /openapi.json HTTP/1.1\r\n{KEY}\r\n");
        if client.connection.write_all(request.as_bytes()).is_err() {
            break;
        }
    }
    client.expect_end_within(SOON);
}

#[test]
fn what_is_in_flight_is_answered() {
    let mut client = Client::start(&[]);
    let body = r#"{"user_id":"user123","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:30:00Z"}"#;
    let (first, second) = body.split_at(20);
    client.send(&format!(
        "POST /api/v1/data HTTP/1.1\r\n{KEY}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        body.len()
    ));
    // So that the request is at its handler.
    std::thread::sleep(Duration::from_millis(500));
    client.service.signal("TERM");
    // So that the stop is under way.
    std::thread::sleep(Duration::from_secs(2));
    client.send(second);
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let (status, log) = client.service.ended();
    assert!(status.success(), "{log}");
}

#[test]
fn clients_are_sent_elsewhere_during_the_grace() {
    let mut client = Client::start(&[("SHUTDOWN_GRACE", "5")]);
    client.service.signal("TERM");
    std::thread::sleep(Duration::from_secs(1));
    client.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    let answer = client.read_to_end();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    let (status, log) = client.service.ended();
    assert!(status.success(), "{log}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let client = Client::start(&[("SHUTDOWN_GRACE", "20")]);
    client.service.signal("INT");
    std::thread::sleep(Duration::from_millis(500));
    let told = Instant::now();
    let (status, log) = client.service.stop("INT");
    assert!(status.success(), "{log}");
    assert!(log.contains("stopped at once"), "{log}");
    assert!(told.elapsed() < SOON, "{log}");
}

#[test]
fn a_connection_is_closed_when_nothing_comes() {
    for sent in ["", "GET /health HTTP/1.1\r\nHost:"] {
        let mut client = Client::start(&[("IDLE_TIMEOUT", "1")]);
        client.send(sent);
        let answer = client.read_to_end();
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[test]
fn beyond_the_most_connections_clients_wait_for_one_to_end() {
    let mut first = Client::start(&[("MAX_CONNECTIONS", "1")]);
    first.send(&format!("GET /health HTTP/1.1\r\n{KEY}\r\n"));
    assert!(first.read_some().starts_with("HTTP/1.1 200"));
    let mut second = TcpStream::connect(first.service.url.trim_start_matches("http://")).unwrap();
    let request = format!("GET /health HTTP/1.1\r\n{KEY}Connection: close\r\n\r\n");
    second.write_all(request.as_bytes()).unwrap();
    second
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(second.read(&mut [0]).is_err(), "it waits");
    first.connection.shutdown(std::net::Shutdown::Both).unwrap();
    second
        .set_read_timeout(Some(Duration::from_secs(40)))
        .unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_header_beyond_64_kib_is_refused() {
    let mut client = Client::start(&[]);
    client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ");
    let _ = client.connection.write_all(&vec![b'x'; 80 * 1_024]);
    let answer = client.read_to_end();
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
}
