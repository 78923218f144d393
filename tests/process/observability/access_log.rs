//! Access log: one line per request.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_gemini::{FakeGemini, KEY, Scripted};
use crate::log_capture::{LoggedService, reading, requests};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn each_request_logs_one_line_with_its_result() {
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(directory.path(), &[]);
    let stored = service.send("POST", "/api/v1/data", reading("jane", 70));
    assert_eq!(stored.await, 200);
    let listed = service.request("GET", "/api/v1/data/jane");
    let listed = listed.header("x-request-id", "mine").send().await.unwrap();
    let size = listed.bytes().await.unwrap().len();
    let export = service.request("GET", "/api/v1/data/jane/export");
    let exported = export.send().await.unwrap().bytes().await.unwrap().len();
    let unknown = service.send("GET", "/canary/nowhere", &Value::Null);
    assert_eq!(unknown.await, 404);
    let (log, _) = service.stop();
    let lines = requests(&log);
    let logged: Vec<_> = lines
        .iter()
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            assert!(line["latency_us"].as_u64().unwrap() > 0, "{line}");
            assert!(line.get("interrupted").is_none(), "{line}");
            assert_eq!(line["upstream_attempts"], 0, "{line}");
            let fields = (
                text("method"),
                text("route"),
                text("principal"),
                text("code"),
            );
            (fields, line["status"].as_u64().unwrap())
        })
        .collect();
    let expected = [
        ("POST", "/api/v1/data", "shared-key", "-", 200),
        ("GET", "/api/v1/data/{user_id}", "shared-key", "-", 200),
        (
            "GET",
            "/api/v1/data/{user_id}/export",
            "shared-key",
            "-",
            200,
        ),
        ("GET", "none", "-", "unknown_path", 404),
    ];
    let expected = expected.map(|(method, route, principal, code, status)| {
        let fields = [method, route, principal, code].map(str::to_owned);
        (fields.into(), status)
    });
    assert_eq!(logged, expected);
    assert_eq!(lines[1]["request_id"], "mine");
    assert_eq!(lines[1]["bytes"], size);
    assert_eq!(lines[2]["bytes"], exported);
}

#[tokio::test]
async fn trace_id_is_the_only_logged_header_content() {
    let directory = tempfile::tempdir().unwrap();
    let service = LoggedService::start(directory.path(), &[("RUST_LOG", "trace")]);
    let amazon_root = format!("Root=1-{}-{}", &TRACE[..8], &TRACE[8..]);
    let parent = "00f067aa0ba902b7";
    for (header, value) in [
        ("traceparent", format!("00-{TRACE}-{parent}-01")),
        (
            "x-amzn-trace-id",
            format!("Self=1-canary-canary;{amazon_root}"),
        ),
        ("traceparent", format!("00-canary-{parent}-01")),
        (
            "traceparent",
            format!("cc-{TRACE}-{parent}-01-canary").replace("cc", "zz"),
        ),
        ("x-amzn-trace-id", format!("{amazon_root}canary")),
        ("x-amzn-trace-id", "Root=canary".to_owned()),
        ("tracestate", "canary=1".to_owned()),
        ("baggage", "canary=1".to_owned()),
    ] {
        let request = service.request("GET", "/health").header(header, value);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let (log, _) = service.stop();
    let logged: Vec<_> = requests(&log)
        .iter()
        .map(|line| line["trace_id"].as_str())
        .collect();
    let (trace, none) = (Some(TRACE), None);
    assert_eq!(logged, [trace, trace, none, none, none, none, none, none]);
    for line in log {
        assert!(!line.to_string().contains("canary"), "{line}");
    }
}

#[tokio::test]
async fn access_log_reports_upstream_attempts_and_client_disconnects() {
    let gemini = FakeGemini::start().await;
    let base_url = gemini.base_url();
    let directory = tempfile::tempdir().unwrap();
    let settings = [
        ("GEMINI_API_KEY", KEY),
        ("GEMINI_BASE_URL", base_url.as_str()),
    ];
    let service = LoggedService::start(directory.path(), &settings);
    let stored = service.send("POST", "/api/v1/data", reading("jane", 70));
    assert_eq!(stored.await, 200);
    gemini
        .enqueue(Scripted::reply("not a draft"))
        .enqueue(Scripted::reply("not a draft"));
    let question = json!({"user_id": "jane", "query": "How is my heart rate?"});
    let asked = service.send("POST", "/api/v1/insights", &question);
    assert_eq!(asked.await, 200);
    gemini.enqueue(Scripted::silence());
    let question = json!({"user_id": "jane", "query": "What of my heart rate?"});
    let events = service
        .request("POST", "/api/v1/insights")
        .header("Accept", "text/event-stream")
        .json(&question)
        .send()
        .await
        .unwrap();
    assert_eq!(events.status(), 200);
    while gemini.waiting() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(events);
    while gemini.waiting() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (log, _) = service.stop();
    let lines = requests(&log);
    let logged: Vec<_> = lines
        .iter()
        .map(|line| {
            let interrupted = line.get("interrupted").cloned();
            (line["upstream_attempts"].as_u64().unwrap(), interrupted)
        })
        .collect();
    assert_eq!(logged, [(0, None), (2, None), (1, Some(json!(true)))]);
}
