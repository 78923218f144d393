//! Metrics after known traffic, for Prometheus and for `CloudWatch`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use clarity_backend::telemetry::metrics::names::{self, MetricKind};
use serde_json::{Value, json};

use crate::fake_gemini::{FakeGemini, KEY, Scripted};
use crate::log_capture::{LoggedService, reading, requests};

/// Sends the requests that the tests below count.
async fn send_known_traffic(service: &LoggedService) {
    let invalid = json!({"user_id": "canary-user"});
    let batch = json!({"readings": [
        reading("canary-user", 1), reading("canary-user", 2), invalid
    ]});
    let question = json!({"user_id": "canary-user", "query": "canary heart rate?"});
    for (method, path, body, status) in [
        ("POST", "/api/v1/data", reading("canary-user", 70), 200),
        ("POST", "/api/v1/data", reading("canary-user", 70), 200),
        ("POST", "/api/v1/data", invalid.clone(), 422),
        ("POST", "/api/v1/data/batch", batch, 200),
        ("GET", "/api/v1/data/canary-user", Value::Null, 200),
        ("GET", "/api/v1/data/canary-user/export", Value::Null, 200),
        ("GET", "/canary", Value::Null, 404),
        ("CANARY", "/health", Value::Null, 405),
        ("POST", "/api/v1/insights", question.clone(), 200),
        ("POST", "/api/v1/insights", question, 200),
    ] {
        let sent = service.send(method, path, &body).await;
        assert_eq!(sent, status, "{method} {path}");
    }
}

/// Asserts that the table of metrics, from which `docs/reference/metrics.md` is
/// generated, has this series with exactly its labels.
fn assert_is_documented(series: &str) {
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split(',');
    let labels = labels
        .filter_map(|label| label.split_once('='))
        .map(|(label, _)| label);
    // Added by Prometheus to the buckets of a histogram.
    let labels: BTreeSet<&str> = labels.filter(|label| *label != "le").collect();
    let metric = names::ALL.iter().find(|metric| match metric.kind {
        MetricKind::Histogram(..) => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.strip_suffix(suffix) == Some(metric.name)),
        MetricKind::Counter | MetricKind::Gauge => name == metric.name,
    });
    let metric = metric.unwrap_or_else(|| panic!("{series} is not in the table"));
    assert_eq!(
        labels,
        BTreeSet::from_iter(metric.labels.iter().copied()),
        "{series}"
    );
}

/// Returns the samples by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.filter_map(|line| line.rsplit_once(' '));
    lines
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

/// Starts a Gemini that returns two invalid drafts and an error.
async fn gemini() -> FakeGemini {
    let gemini = FakeGemini::start().await;
    gemini
        .enqueue(Scripted::reply("not a draft"))
        .enqueue(Scripted::reply("not a draft"))
        .enqueue(Scripted::error(StatusCode::FORBIDDEN, json!("canary")));
    gemini
}

#[tokio::test]
async fn prometheus_metrics_match_the_traffic_exactly() {
    let gemini = gemini().await;
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(
        directory.path(),
        &[
            ("METRICS_ADDR", "127.0.0.1:0"),
            ("CLARITY_REVISION", "abc123"),
            ("GEMINI_API_KEY", KEY),
            ("GEMINI_BASE_URL", gemini.base_url().as_str()),
        ],
    );
    send_known_traffic(&service).await;
    let text = service.metrics().await;
    assert!(!text.contains("canary"), "{text}");
    let version = env!("CARGO_PKG_VERSION");
    let build = format!(r#"clarity_build_info{{version="{version}",revision="abc123"}}"#);
    let samples = samples(&text);
    for (name, value) in [
        (
            r#"clarity_http_requests_total{method="POST",route="/api/v1/data",status="200"}"#,
            2.0,
        ),
        (
            r#"clarity_http_requests_total{method="POST",route="/api/v1/data",status="422"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="POST",route="/api/v1/data/batch",status="200"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="GET",route="/api/v1/data/{user_id}",status="200"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="GET",route="/api/v1/data/{user_id}/export",status="200"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="GET",route="none",status="404"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="other",route="/health",status="405"}"#,
            1.0,
        ),
        (
            r#"clarity_http_requests_total{method="POST",route="/api/v1/insights",status="200"}"#,
            2.0,
        ),
        (
            r#"clarity_http_request_duration_seconds_count{route="/api/v1/data"}"#,
            3.0,
        ),
        (
            r#"clarity_http_request_duration_seconds_bucket{route="/api/v1/data",le="+Inf"}"#,
            3.0,
        ),
        ("clarity_http_requests_in_flight", 0.0),
        ("clarity_panics_total", 0.0),
        (
            r#"clarity_store_operations_total{operation="put",outcome="ok"}"#,
            2.0,
        ),
        (
            r#"clarity_store_operations_total{operation="put_all",outcome="ok"}"#,
            1.0,
        ),
        (
            r#"clarity_store_operation_duration_seconds_count{operation="put"}"#,
            2.0,
        ),
        (r#"clarity_readings_stored_total{result="stored"}"#, 4.0),
        ("clarity_batch_readings_sum", 2.0),
        ("clarity_batch_readings_count", 1.0),
        (r#"clarity_gemini_attempts_total{outcome="ok"}"#, 2.0),
        (r#"clarity_gemini_attempts_total{outcome="refused"}"#, 1.0),
        ("clarity_gemini_attempt_duration_seconds_count", 3.0),
        (r#"clarity_insight_cache_lookups_total{result="miss"}"#, 2.0),
        (r#"clarity_insights_total{status="fallback"}"#, 2.0),
        (&build, 1.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in {text}");
    }
    for kind in ["prompt", "answer"] {
        let name = format!(r#"clarity_gemini_tokens_total{{kind="{kind}"}}"#);
        assert!(samples[&*name] > 0.0, "{name} in {text}");
    }
    // No other request is counted, and every series has the documented labels.
    let requests = samples
        .iter()
        .filter(|(name, _)| name.starts_with("clarity_http_requests_total"));
    assert_eq!(requests.map(|(_, count)| count).sum::<f64>(), 10.0);
    for series in samples.keys() {
        assert_is_documented(series);
    }
    let (log, _) = service.stop();
    assert_eq!(request_count(&log), 10, "scraping metrics is not logged");
}

fn request_count(log: &[Value]) -> usize {
    requests(log).len()
}

#[tokio::test]
async fn no_metrics_are_exposed_without_metrics_addr() {
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(directory.path(), &[]);
    assert_eq!(service.send("GET", "/metrics", &Value::Null).await, 404);
    let (_, printed) = service.stop();
    assert!(!printed.contains("_aws"), "{printed}");
}

/// Returns the EMF documents of standard output.
fn documents(printed: &str) -> Vec<Value> {
    let lines = printed.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Checks a document against the specification.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn check(document: &Value) {
    assert!(document.to_string().len() < 256 * 1024);
    assert!(document["_aws"]["Timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    for directive in document["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
        assert_eq!(directive["Namespace"], "Clarity");
        for set in directive["Dimensions"].as_array().unwrap() {
            let set = set.as_array().unwrap();
            assert!((1..=30).contains(&set.len()));
            for name in set {
                let value = document[name.as_str().unwrap()].as_str().unwrap();
                assert!((1..=1024).contains(&value.len()));
            }
        }
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        for metric in metrics {
            assert!(["Seconds", "Count"].contains(&metric["Unit"].as_str().unwrap()));
            let value = &document[metric["Name"].as_str().unwrap()];
            if value.is_number() {
                continue;
            }
            let (values, counts) = (&value["Values"], &value["Counts"]);
            let (values, counts) = (values.as_array().unwrap(), counts.as_array().unwrap());
            assert!((1..=100).contains(&values.len()) && values.len() == counts.len());
            assert!(values.iter().all(Value::is_number));
            let count: u64 = counts.iter().map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(value["Count"], count);
            assert!(value["Min"].as_f64() <= value["Max"].as_f64() && value["Sum"].is_number());
        }
    }
}

#[tokio::test]
async fn emf_lines_are_valid_and_their_counts_match_the_traffic() {
    let directory = tempfile::tempdir().unwrap();
    let both = [("METRICS_EMF", "true"), ("METRICS_ADDR", "127.0.0.1:0")];
    let service = LoggedService::start(directory.path(), &both);
    send_known_traffic(&service).await;
    let text = service.metrics().await;
    assert!(
        text.contains("clarity_http_requests_total"),
        "both exporters run at the same time"
    );
    let (_, printed) = service.stop();
    assert!(!printed.contains("canary"), "{printed}");
    let documents = documents(&printed);
    let mut requests = BTreeMap::new();
    let mut durations = 0;
    for document in &documents {
        check(document);
        assert_eq!(document["environment"], "development");
        if let Some(count) = document["clarity_http_requests_total"].as_u64() {
            let status = document["status"].as_str().unwrap();
            *requests.entry(status).or_insert(0) += count;
        }
        if let Some(count) = document["clarity_http_request_duration_seconds"]["Count"].as_u64() {
            durations += count;
        }
    }
    let expected = BTreeMap::from([("200", 7), ("404", 1), ("405", 1), ("422", 1)]);
    assert_eq!((requests, durations), (expected, 10));
}

/// Starts a DynamoDB with an empty table that throttles one `GetItem`. Returns its URL.
async fn throttling_dynamodb() -> String {
    let requests = AtomicU32::new(0);
    let respond = async move |headers: HeaderMap| {
        let target = headers["x-amz-target"].to_str().unwrap();
        match target.rsplit('.').next().unwrap() {
            "DescribeTable" => (StatusCode::OK, r#"{"Table":{"TableStatus":"ACTIVE"}}"#),
            "GetItem" if requests.fetch_add(1, Ordering::SeqCst) == 0 => (
                StatusCode::BAD_REQUEST,
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#,
            ),
            _ => (StatusCode::OK, "{}"),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let respond = std::sync::Arc::new(respond);
    let router = Router::new().fallback(move |headers: HeaderMap| {
        let respond = std::sync::Arc::clone(&respond);
        async move { respond(headers).await }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

// Starting and stopping the service block a thread, while another serves its stand-ins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sdk_retries_are_counted() {
    let endpoint = throttling_dynamodb().await;
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(
        directory.path(),
        &[
            ("DYNAMODB_ENDPOINT", &endpoint),
            ("METRICS_ADDR", "127.0.0.1:0"),
        ],
    );
    let path = "/api/v1/data/jane/018d0d2e-f5c0-8000-8000-000000000000";
    assert_eq!(service.send("GET", path, &Value::Null).await, 404);
    let text = service.metrics().await;
    let samples = samples(&text);
    for (name, value) in [
        (
            r#"clarity_store_attempts_total{operation="GetItem",outcome="throttled"}"#,
            1.0,
        ),
        (
            r#"clarity_store_attempts_total{operation="GetItem",outcome="ok"}"#,
            1.0,
        ),
        (r#"clarity_store_retries_total{operation="GetItem"}"#, 1.0),
        (
            r#"clarity_store_operations_total{operation="get",outcome="ok"}"#,
            1.0,
        ),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in {text}");
    }
    let (log, _) = service.stop();
    assert_eq!(requests(&log)[0]["upstream_attempts"], 2);
}
