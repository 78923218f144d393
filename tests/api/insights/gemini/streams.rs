//! Answers streamed while Gemini generates them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{QUESTION, Setup, draft, expect_fallback};
use crate::insights::events::{events, insight_of};
use crate::insights::{facts, store};
use crate::support::fake_gemini::{Scripted, errors, frames};

/// Splits a draft into frames of seven characters.
fn pieces(draft: &Value) -> Vec<Value> {
    let text: Vec<char> = draft.to_string().chars().collect();
    let mut pieces: Vec<Value> = text
        .chunks(7)
        .map(|piece| frames::text(&piece.iter().collect::<String>()))
        .collect();
    pieces.insert(0, frames::thought("I think that 99 is a nice number."));
    pieces
}

fn whole(draft: &Value) -> Scripted {
    let mut pieces = pieces(draft);
    pieces.push(frames::last("", "STOP"));
    Scripted::frames(pieces)
}

fn two_findings(setup: &Setup) -> Value {
    draft(
        &[
            (
                "Your heart rate averaged 67.25 /min over the last 30 days.",
                &[&setup.mean_of_month()],
            ),
            (
                "You took 5500 steps a day in the last 30 days.",
                &[&setup.id("steps", "daily_mean", "last 30 days")],
            ),
        ],
        &[("easy_pace", &[])],
    )
}

#[tokio::test]
async fn sentences_are_streamed_one_by_one() {
    let setup = Setup::start().await;
    store(
        &setup.app,
        [json!({"data_type": "weight", "timestamp": "2024-01-01T00:00:00Z"})],
    )
    .await;
    setup.gemini.enqueue(whole(&two_findings(&setup)));
    let events = events(&setup.app, QUESTION).await;
    let insight = insight_of(&events);
    let deltas: Vec<&str> = events
        .iter()
        .filter_map(|(_, event)| event["text"].as_str())
        .collect();
    assert_eq!(
        deltas,
        [
            "Your heart rate averaged 67.25 /min over the last 30 days.",
            " You took 5500 steps a day in the last 30 days.",
        ]
    );
    assert_eq!(insight["source"], "gemini");
    assert_eq!(insight["status"], "complete");
    assert_eq!(
        insight["recommendations"][0]["text"],
        "Regular walks at a pace at which talking is easy are good for the heart."
    );
    assert_eq!(insight["usage"]["attempts"], 1);
    let request = &setup.gemini.requests()[1];
    assert!(request.uri.ends_with(":streamGenerateContent?alt=sse"));
    // It is cached for whole and streamed requests.
    assert_eq!(setup.ask().await["insight"], insight["insight"]);
    let again = crate::insights::events::events(&setup.app, QUESTION).await;
    assert_eq!(insight_of(&again)["insight"], insight["insight"]);
    assert_eq!(setup.requests(), 1);
}

#[tokio::test]
async fn failed_sentence_is_replaced_by_its_facts() {
    let setup = Setup::start().await;
    let mut findings = two_findings(&setup);
    findings["findings"][0]["text"] =
        json!("Your heart rate averaged 99 /min over the last 30 days.");
    setup.gemini.enqueue(whole(&findings));
    let events = events(&setup.app, QUESTION).await;
    let insight = insight_of(&events);
    assert_eq!(
        insight["insight"],
        "The mean heart rate in the 30 days up to 2024-05-31 is 67.25 /min. \
         You took 5500 steps a day in the last 30 days."
    );
    assert_eq!(
        insight["verification"],
        json!({"numbers_checked": 2, "numbers_unsupported": 1})
    );
    let mut texts = events
        .iter()
        .filter_map(|(_, event)| event["text"].as_str());
    assert!(texts.all(|text| !text.contains("99")));
    assert_eq!(facts(insight).len(), 2);
}

/// Sentences already sent stay in the answer; nothing is added to them.
#[tokio::test]
async fn stream_broken_after_a_sentence_yields_a_partial_answer() {
    let setup = Setup::start().await;
    let pieces = pieces(&two_findings(&setup));
    let after_the_first = pieces.len() / 2;
    for broken in [
        Scripted::frames(pieces[..after_the_first].to_vec()).then_cut(),
        Scripted::frames(pieces[..after_the_first].to_vec()),
    ] {
        setup.gemini.enqueue(broken);
        let events = events(&setup.app, QUESTION).await;
        let insight = insight_of(&events);
        assert_eq!(insight["status"], "partial");
        assert_eq!(insight["source"], "gemini");
        assert_eq!(
            insight["insight"],
            "Your heart rate averaged 67.25 /min over the last 30 days."
        );
        assert_eq!(insight["model"], Value::Null);
        assert_eq!(insight["usage"]["attempts"], 1);
    }
    // Partial answers are not cached.
    setup.gemini.enqueue(whole(&two_findings(&setup)));
    assert_eq!(
        insight_of(&events(&setup.app, QUESTION).await)["status"],
        "complete"
    );
}

#[tokio::test]
async fn stream_broken_before_a_sentence_is_retried() {
    let setup = Setup::start().await;
    let pieces = pieces(&two_findings(&setup));
    setup
        .gemini
        .enqueue(Scripted::frames(pieces[..3].to_vec()).then_cut());
    setup.gemini.enqueue(whole(&two_findings(&setup)));
    let events = events(&setup.app, QUESTION).await;
    let insight = insight_of(&events);
    assert_eq!(
        (&insight["status"], &insight["usage"]["attempts"]),
        (&json!("complete"), &json!(2))
    );
}

#[tokio::test]
async fn failed_stream_falls_back_to_statistics() {
    let setup = Setup::start().await;
    let error = errors::body(400, "INVALID_ARGUMENT", "no");
    for script in [
        vec![Scripted::frames([error])],
        vec![errors::for_status(StatusCode::FORBIDDEN)],
        vec![Scripted::frames([frames::without_content("SAFETY")])],
        vec![
            Scripted::frames([frames::text("prose"), frames::last("", "STOP")]),
            Scripted::reply("prose"),
        ],
    ] {
        for scripted in script {
            setup.gemini.enqueue(scripted);
        }
        let events = events(&setup.app, QUESTION).await;
        expect_fallback(insight_of(&events));
        assert_eq!(setup.gemini.remaining(), 0);
    }
}

/// A draft that does not start with its findings is verified as a whole.
#[tokio::test]
async fn findings_after_recommendations_are_accepted() {
    let setup = Setup::start().await;
    let good = setup.good();
    let turned = format!(
        r#"{{"recommendations":{},"findings":{}}}"#,
        good["recommendations"], good["findings"]
    );
    setup.gemini.enqueue(Scripted::frames([
        frames::text(&turned),
        frames::last("", "STOP"),
    ]));
    let events = events(&setup.app, QUESTION).await;
    assert_eq!(insight_of(&events)["source"], "gemini");
}
