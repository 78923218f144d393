//! Answers that Gemini phrases.

mod answers;
mod drafts;
mod failures;
mod injection;
mod streams;

use serde_json::{Value, json};

use super::{ask, facts, store};
use crate::app::TestApp;
use crate::fake_gemini::{FakeGemini, Scripted, errors};

/// In the metadata of every reading that these tests store.
const METADATA: &str = "metadata-canary";

/// A user with 30 days of readings at noon, and a Gemini to ask about them.
pub struct Setup {
    pub gemini: FakeGemini,
    pub app: TestApp,
    /// What Gemini is sent for `heart rate and steps`.
    facts: Vec<Value>,
}

/// Its heart rate rises from 60 by 0.5 a day; its steps are 1,000 to 10,000.
pub fn readings(user_id: &str) -> impl Iterator<Item = Value> + use<'_> {
    (0..30_i32).flat_map(move |day| {
        let at = format!("2024-05-{:02}T12:00:00Z", day + 2);
        let reading = move |data_type: &str, value: f64| {
            json!({
                "user_id": user_id,
                "data_type": data_type,
                "value": value,
                "timestamp": at,
                "metadata": {"note": METADATA},
            })
        };
        [
            reading("heart_rate", 60.0 + 0.5 * f64::from(day)),
            reading("steps", f64::from(1_000 * (1 + day % 10))),
        ]
    })
}

impl Setup {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        let gemini = FakeGemini::start().await;
        let app = TestApp::start_with_gemini(&gemini, settings).await;
        store(&app, readings("user123")).await;
        // What was sent is looked at; nothing was answered, so nothing is kept.
        gemini.enqueue(errors::invalid_key());
        ask(&app, QUESTION).await;
        let facts = sent(&gemini.requests()[0].body)["facts"].clone();
        Self {
            gemini,
            app,
            facts: facts.as_array().unwrap().clone(),
        }
    }

    /// The id of the fact that is sent with these.
    fn id(&self, metric: &str, statistic: &str, period: &str) -> String {
        let is = |fact: &&Value| {
            fact["metric"] == metric && fact["statistic"] == statistic && fact["period"] == period
        };
        let fact = self.facts.iter().find(is).unwrap();
        fact["id"].as_str().unwrap().to_owned()
    }

    fn mean_of_month(&self) -> String {
        self.id("heart_rate", "mean", "last 30 days")
    }

    /// A draft that is true.
    pub fn good(&self) -> Value {
        draft(
            &[(
                "Your heart rate averaged 67.25 /min over the last 30 days.",
                &[&self.mean_of_month()],
            )],
            &[("easy_pace", &[&self.mean_of_month()])],
        )
    }

    /// The requests since the one that the setup made.
    fn requests(&self) -> usize {
        self.gemini.requests().len() - 1
    }

    async fn ask(&self) -> Value {
        ask(&self.app, QUESTION).await
    }
}

const QUESTION: &str = "heart rate and steps";

/// What the user's turn of a request holds.
fn sent(body: &Value) -> Value {
    let text = body["contents"][0]["parts"][0]["text"].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

type Written<'a> = &'a [(&'a str, &'a [&'a str])];

/// What a model answers: findings, and advice by its id, each with its facts.
fn draft(findings: Written<'_>, recommendations: Written<'_>) -> Value {
    let list = |items: Written<'_>, text: &str, ids: &str| -> Vec<Value> {
        let item = |(written, facts): &(&str, &[&str])| json!({text: written, ids: facts});
        items.iter().map(item).collect()
    };
    json!({
        "findings": list(findings, "text", "fact_ids"),
        "recommendations": list(recommendations, "advice_id", "based_on"),
    })
}

fn reply(draft: &Value) -> Scripted {
    Scripted::reply(&draft.to_string())
}

/// Checks that statistics answer in Gemini's place, with all that they know.
#[track_caller]
fn expect_fallback(answer: &Value) {
    assert_eq!(answer["status"], "fallback", "{answer}");
    assert_eq!(answer["source"], "statistics");
    assert_eq!(answer["success"], true);
    assert_eq!(answer["model"], Value::Null);
    assert!(
        answer["insight"].as_str().unwrap().contains("67.25 /min"),
        "{answer}"
    );
    assert!(facts(answer).len() > 4);
}
