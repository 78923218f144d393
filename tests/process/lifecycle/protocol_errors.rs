//! Requests that violate HTTP/1.1.

use serde_json::Value;

use super::connections::{Client, KEY};

/// Sends a request on a connection of its own and returns the response.
fn exchange(client: &Client, request: &str) -> String {
    let mut connection =
        std::net::TcpStream::connect(client.service.url.trim_start_matches("http://")).unwrap();
    let timeout = Some(std::time::Duration::from_secs(20));
    connection.set_read_timeout(timeout).unwrap();
    std::io::Write::write_all(&mut connection, request.as_bytes()).unwrap();
    let mut response = String::new();
    std::io::Read::read_to_string(&mut connection, &mut response).unwrap();
    response
}

/// Checks that the last response is the problem document of `code`, after which the
/// connection ends.
#[track_caller]
fn assert_problem(response: &str, status: u16, code: &str) {
    let start = response.rfind("HTTP/1.1 ").unwrap_or_default();
    let (head, body) = response[start..].split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with(&format!("HTTP/1.1 {status} ")),
        "{response}"
    );
    let head = head.to_ascii_lowercase();
    let header = |name: &str| {
        let mut values = head.lines().filter_map(|line| line.split_once(": "));
        let (_, value) = values.find(|(header, _)| *header == name)?;
        Some(value.to_owned())
    };
    assert_eq!(
        header("content-type").as_deref(),
        Some("application/problem+json"),
        "{head}"
    );
    assert_eq!(header("connection").as_deref(), Some("close"), "{head}");
    assert_eq!(
        header("cache-control").as_deref(),
        Some("no-store"),
        "{head}"
    );
    assert_eq!(
        header("x-content-type-options").as_deref(),
        Some("nosniff"),
        "{head}"
    );
    assert!(
        header("date").is_some_and(|date| date.ends_with(" gmt")),
        "{head}"
    );
    let problem: Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(
        problem["request_id"].as_str(),
        header("x-request-id").as_deref(),
        "{head}"
    );
}

#[test]
fn unparsable_requests_get_problem_documents_and_are_logged() {
    let client = Client::start(&[]);
    let many_fields: String = (0..101).map(|index| format!("X-{index}: x\r\n")).collect();
    let large = format!("X-Long: {}\r\n", "x".repeat(48 * 1_024));
    let cases = [
        ("\u{1}\r\n\r\n".to_owned(), 400, "malformed_request"),
        (
            "GET  / HTTP/1.1\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        (
            "GET / HTTP/3.0\r\nHost: x\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        (
            "GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        // A valid request precedes it.
        (
            "GET /health HTTP/1.1\r\nHost: x\r\n\r\nNonsense\r\n\r\n".to_owned(),
            400,
            "malformed_request",
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: x\r\n{many_fields}\r\n"),
            431,
            "header_too_large",
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: x\r\n{large}\r\n"),
            431,
            "header_too_large",
        ),
    ];
    let count = cases.len();
    for (request, status, code) in cases {
        let response = exchange(&client, &request);
        assert_problem(&response, status, code);
    }
    let (_, log) = client.service.stop("TERM");
    let logged = log.matches("malformed_request").count() + log.matches("header_too_large").count();
    assert_eq!(logged, count, "{log}");
}

#[test]
fn host_must_be_valid_and_unique() {
    let client = Client::start(&[]);
    for (line, headers) in [
        ("GET /health HTTP/1.1", ""),
        ("GET http://x/health HTTP/1.1", ""),
        ("GET /health HTTP/1.1", "Host: x\r\nHost: x\r\n"),
        ("GET /health HTTP/1.0", "Host: x\r\nHost: y\r\n"),
        ("GET /health HTTP/1.1", "Host: user@x\r\n"),
        ("GET /health HTTP/1.1", "Host: x/y\r\n"),
        ("GET /health HTTP/1.1", "Host: x:port\r\n"),
    ] {
        let response = exchange(&client, &format!("{line}\r\n{headers}\r\n"));
        let response = response.replace("HTTP/1.0", "HTTP/1.1");
        assert_problem(&response, 400, "invalid_host");
    }
    for (line, headers) in [
        ("GET /health HTTP/1.0", ""),
        ("GET /health HTTP/1.1", "Host:\r\nConnection: close\r\n"),
        (
            "GET /health HTTP/1.1",
            "Host: [::1]:8080\r\nConnection: close\r\n",
        ),
        (
            "GET http://x/health HTTP/1.1",
            "Host: x\r\nConnection: close\r\n",
        ),
    ] {
        let response = exchange(&client, &format!("{line}\r\n{headers}\r\n"));
        assert!(response.contains(" 200 OK\r\n"), "{response}");
    }
}

#[test]
fn only_chunked_transfer_encoding_is_implemented() {
    let client = Client::start(&[]);
    for encoding in [
        "gzip, chunked",
        "identity, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
    ] {
        let response = exchange(
            &client,
            &format!(
                "POST /api/v1/data HTTP/1.1\r\n{KEY}Content-Type: application/json\r\n\
                 Transfer-Encoding: {encoding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
            ),
        );
        assert_problem(&response, 501, "unsupported_transfer_encoding");
    }
    let response = exchange(
        &client,
        &format!(
            "POST /api/v1/data HTTP/1.1\r\n{KEY}Content-Type: application/json\r\n\
             Connection: close\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        ),
    );
    assert!(response.starts_with("HTTP/1.1 422 "), "{response}");
}

#[test]
fn compressed_bodies_are_rejected() {
    let client = Client::start(&[]);
    for (encoding, status) in [("gzip", 415), ("identity, gzip", 415), ("Identity", 422)] {
        let response = exchange(
            &client,
            &format!(
                "POST /api/v1/data HTTP/1.1\r\n{KEY}Content-Type: application/json\r\n\
                 Connection: close\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\n{{}}"
            ),
        );
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{response}"
        );
        let is_rejected = response.contains("unsupported_content_encoding");
        assert_eq!(is_rejected, status == 415, "{response}");
    }
}
