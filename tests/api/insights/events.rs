//! Answers as server-sent events.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::store;
use crate::support::app::{ApiResponse, TestApp};

/// Returns the events of an answer, each with its name and data.
pub async fn events(app: &TestApp, query: &str) -> Vec<(String, Value)> {
    let question = json!({"user_id": "user123", "query": query});
    let response = app
        .request(Method::POST, "/api/v1/insights")
        .header(ACCEPT, "text/event-stream")
        .json(&question)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
    parse(&response.text().await.unwrap())
}

fn parse(body: &str) -> Vec<(String, Value)> {
    body.split("\n\n")
        .filter(|event| !event.is_empty() && !event.starts_with(':'))
        .map(|event| {
            let field = |name: &str| {
                let line = event.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap().trim().to_owned()
            };
            let data = serde_json::from_str(&field("data:")).unwrap();
            (field("event:"), data)
        })
        .collect()
}

/// Returns the insight of the last event, after checking that the deltas before
/// it are its text.
pub fn insight_of(events: &[(String, Value)]) -> &Value {
    let (last, deltas) = events.split_last().unwrap();
    assert_eq!(last.0, "insight");
    assert!(deltas.iter().all(|(name, _)| name == "delta"));
    let text: String = deltas
        .iter()
        .map(|(_, delta)| delta["text"].as_str().unwrap())
        .collect();
    assert_eq!(last.1["insight"], text);
    &last.1
}

#[tokio::test]
async fn answer_is_streamed_if_the_client_accepts_events() {
    let app = TestApp::start().await;
    store(&app, [json!({})]).await;
    let events = events(&app, "How is my heart rate?").await;
    let insight = insight_of(&events);
    assert_eq!(insight["success"], true);
    assert_eq!(insight["findings"][0]["facts"][0]["metric"], "heart_rate");
}

#[tokio::test]
async fn invalid_question_returns_a_problem_not_an_event() {
    let app = TestApp::start().await;
    let request = app
        .request(Method::POST, "/api/v1/insights")
        .header(ACCEPT, "text/event-stream")
        .json(&json!({"user_id": "user123", "query": ""}));
    ApiResponse::from_request(request)
        .await
        .expect_field_errors(&["/query"]);
}
