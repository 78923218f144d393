//! Contract of insight providers, tested with statistics, with a Gemini that
//! responds and with one that fails.

use serde_json::{Value, json};

use super::events::{events, insight_of};
use super::gemini::Setup;
use super::{ask, facts, store};
use crate::support::app::TestApp;
use crate::support::fake_gemini::{FakeGemini, Scripted, errors};

const QUESTION: &str = "heart rate and steps";

/// Starts an app for each provider, with the readings of a month. Each can answer
/// twice.
async fn providers() -> Vec<(&'static str, TestApp)> {
    let statistics = TestApp::start().await;
    store(&statistics, super::gemini::readings("user123")).await;
    let answering = Setup::start_with(&[("INSIGHT_CACHE_TTL", "0")]).await;
    let good = answering.good().to_string();
    let failing = Setup::start().await;
    for _ in 0..2 {
        answering.gemini.enqueue(Scripted::reply(&good));
        failing.gemini.enqueue(errors::invalid_key());
    }
    vec![
        ("statistics", statistics),
        ("gemini", answering.app),
        ("gemini that fails", failing.app),
    ]
}

/// Returns the numbers in a text, except those of windows and dates.
fn numbers(text: &str) -> Vec<f64> {
    let words = text.split([' ', ',', ';']);
    let words: Vec<&str> = words
        .map(|word| word.trim_end_matches(['.', ':']))
        .collect();
    let is_of_a_window = |at: usize| matches!(words.get(at + 1), Some(&("days" | "hours")));
    words
        .iter()
        .enumerate()
        .filter(|(at, _)| !is_of_a_window(*at))
        .filter_map(|(_, word)| word.parse().ok())
        .collect()
}

#[tokio::test]
async fn every_number_is_the_value_of_a_fact() {
    for (name, app) in providers().await {
        let answer = ask(&app, QUESTION).await;
        let findings = answer["findings"].as_array().unwrap();
        assert!(!findings.is_empty(), "{name}");
        for finding in findings {
            let found = numbers(finding["text"].as_str().unwrap());
            assert!(!found.is_empty(), "{name}");
            for number in found {
                let shows = |fact: &Value| (fact["value"].as_f64().unwrap() - number).abs() < 0.005;
                let facts = finding["facts"].as_array().unwrap();
                assert!(facts.iter().any(shows), "{name}: {number} in {finding}");
            }
        }
    }
}

#[tokio::test]
async fn answer_names_its_source_and_evidence() {
    for (name, app) in providers().await {
        let answer = ask(&app, QUESTION).await;
        let source = if name == "gemini" {
            "gemini"
        } else {
            "statistics"
        };
        assert_eq!(answer["source"], source, "{name}");
        assert_eq!(answer["model"].is_null(), source != "gemini", "{name}");
        assert_eq!(answer["status"] == "fallback", name == "gemini that fails");
        assert_eq!(
            answer["confidence"],
            json!({"level": "high", "reasons": []}),
            "{name}"
        );
        assert_eq!(
            answer["data_coverage"],
            json!({"readings": 60, "days": 30, "missing": []}),
            "{name}"
        );
        for fact in facts(&answer) {
            assert!(fact["fact_id"].as_str().unwrap().starts_with('f'), "{name}");
            assert!(fact["n"].as_u64().unwrap() > 0, "{name}");
            let ids = fact["reading_ids"].as_array().unwrap();
            assert!((1..=20).contains(&ids.len()), "{name}");
        }
        let ids: Vec<&Value> = facts(&answer).iter().map(|fact| &fact["fact_id"]).collect();
        for recommendation in answer["recommendations"].as_array().unwrap() {
            for id in recommendation["based_on"].as_array().unwrap() {
                assert!(
                    ids.contains(&id),
                    "{name}: {id} is not a fact of the answer"
                );
            }
        }
        assert_eq!(answer["verification"]["numbers_unsupported"], 0, "{name}");
    }
}

#[tokio::test]
async fn event_stream_contains_the_whole_text() {
    for (name, app) in providers().await {
        let whole = if name == "gemini" {
            // A streamed response uses another reply than a complete one.
            Value::Null
        } else {
            ask(&app, QUESTION).await["insight"].clone()
        };
        let events = events(&app, QUESTION).await;
        assert!(events.len() > 1, "{name}");
        let insight = insight_of(&events);
        assert!(whole.is_null() || insight["insight"] == whole, "{name}");
    }
}

#[tokio::test]
async fn answer_without_readings_has_no_findings() {
    let gemini = FakeGemini::start().await;
    for app in [
        TestApp::start().await,
        TestApp::start_with_gemini(&gemini, &[]).await,
    ] {
        let answer = ask(&app, QUESTION).await;
        assert_eq!(answer["findings"], json!([]));
        assert_eq!(answer["confidence"]["level"], "low");
        assert!(numbers(answer["insight"].as_str().unwrap()).is_empty());
        insight_of(&events(&app, QUESTION).await);
    }
}
