//! Traces as an OTLP collector receives them.
#![cfg(feature = "otlp")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Uri};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;
use serde_json::{Value, json};

use crate::fake_gemini::{FakeGemini, KEY, Scripted};
use crate::log_capture::{LoggedService, reading, requests};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// OTLP collector that records requests.
struct Collector {
    url: String,
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    async fn start() -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        let router =
            Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: Bytes| {
                assert_eq!(uri.path(), "/base/v1/traces");
                assert_eq!(headers["content-type"], "application/x-protobuf");
                let request = ExportTraceServiceRequest::decode(body).unwrap();
                received.lock().unwrap().push(request);
            });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the sorted attribute names of a span.
fn attributes(span: &Span) -> Vec<&str> {
    let mut names: Vec<&str> = span.attributes.iter().map(|it| it.key.as_str()).collect();
    names.sort_unstable();
    names
}

// Starting and stopping the service block a thread, while another serves its stand-ins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_store_operations_and_gemini_calls_form_one_trace_without_personal_data() {
    let (collector, gemini) = (Collector::start().await, FakeGemini::start().await);
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(
        directory.path(),
        &[
            ("RUST_LOG", "trace"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url),
            ("GEMINI_API_KEY", KEY),
            ("GEMINI_BASE_URL", gemini.base_url().as_str()),
        ],
    );
    let stored = service.send("POST", "/api/v1/data", reading("canary-user", 70));
    assert_eq!(stored.await, 200);
    gemini
        .enqueue(Scripted::reply("canary"))
        .enqueue(Scripted::error(
            axum::http::StatusCode::FORBIDDEN,
            json!("canary"),
        ));
    let question = json!({"user_id": "canary-user", "query": "canary of my heart rate?"});
    let asked = service
        .request("POST", "/api/v1/insights")
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "canary=1")
        .header("Accept", "text/event-stream")
        .json(&question);
    let response = asked.send().await.unwrap().text().await.unwrap();
    assert!(response.contains("event: insight"), "{response}");
    let listed = service.send("GET", "/api/v1/data/canary-user?limit=3", &Value::Null);
    assert_eq!(listed.await, 200);
    let (log, _) = service.stop();

    let sent = format!("{:?}", collector.requests.lock().unwrap());
    for secret in ["canary", "development-key", KEY] {
        assert!(!sent.contains(secret), "{secret} in {sent}");
    }
    assert!(sent.contains("clarity-backend") && sent.contains("deployment.environment.name"));
    let spans = collector.spans();
    let find = |name: &str| {
        let mut found = spans.iter().filter(|span| span.name == name);
        let first = found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {sent}"));
        (first, found.count())
    };
    let (asked, others) = find("POST /api/v1/insights");
    assert_eq!(others, 0);
    assert_eq!(hex(&asked.trace_id), TRACE);
    assert_eq!(hex(&asked.parent_span_id), PARENT);
    let names = [
        "http.request.method",
        "http.response.status_code",
        "http.route",
    ];
    let own = attributes(asked);
    let own: Vec<_> = own.into_iter().filter(|name| !is_added(name)).collect();
    assert_eq!(own, names);

    let is_child = |parent: &Span, child: &Span| {
        child.trace_id == parent.trace_id && child.parent_span_id == parent.span_id
    };
    let (gemini_span, repeated) = find("gemini");
    assert_eq!(repeated, 1);
    assert!(is_child(asked, gemini_span));
    let failed = spans.iter().filter(|span| {
        let status = span.status.as_ref().map(|status| status.code);
        span.name == "gemini" && status == Some(StatusCode::Error as i32)
    });
    assert_eq!(failed.count(), 1, "{sent}");
    let lists = spans.iter().filter(|span| span.name == "list");
    let (of_question, of_list): (Vec<&Span>, Vec<_>) =
        lists.partition(|span| is_child(asked, span));
    assert!(!of_question.is_empty() && of_list.len() == 1);

    let (stored, _) = find("POST /api/v1/data");
    assert!(stored.parent_span_id.is_empty(), "it starts its own trace");
    let (put, _) = find("put");
    assert!(is_child(stored, put));

    // The access log has the same trace ids.
    let logged: Vec<_> = requests(&log)
        .iter()
        .map(|line| line["trace_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(logged[..2], [hex(&stored.trace_id), TRACE.to_owned()]);
}

/// Checks for attributes that `tracing` adds: timings and the source location.
fn is_added(name: &str) -> bool {
    ["busy_ns", "idle_ns", "level", "target"].contains(&name)
}

#[tokio::test]
async fn service_without_a_reachable_collector_serves_and_stops() {
    // Bound, so that no other process gets the port, but not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(directory.path(), &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url)]);
    for value in 0..5 {
        let stored = service.send("POST", "/api/v1/data", reading("jane", value));
        assert_eq!(stored.await, 200);
    }
    let (log, _) = service.stop();
    let warnings = log.iter().filter(|line| {
        let text = line["message"].as_str().unwrap_or_default();
        text.starts_with("traces cannot be sent")
    });
    assert_eq!(warnings.count(), 1, "{log:?}");
}
