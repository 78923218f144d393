//! Requests to Gemini, successful answers, and the cache.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{METADATA, QUESTION, Setup, draft, payload, readings, reply};
use crate::insights::{ask, facts, safety::RED_FLAGS, store};
use crate::support::app::TestApp;
use crate::support::fake_gemini::{FakeGemini, KEY, errors, frames};

#[tokio::test]
async fn answer_has_generated_text_facts_and_usage() {
    let setup = Setup::start().await;
    setup.gemini.enqueue(reply(&setup.good()));
    let answer = setup.ask().await;
    assert_eq!(
        answer["insight"],
        "Your heart rate averaged 67.25 /min over the last 30 days."
    );
    assert_eq!(
        (&answer["status"], &answer["source"]),
        (&json!("complete"), &json!("gemini"))
    );
    assert_eq!(facts(&answer)[0]["value"], 67.25);
    assert_eq!(
        facts(&answer)[0]["reading_ids"].as_array().unwrap().len(),
        20
    );
    assert_eq!(
        answer["recommendations"],
        json!([{"text": "Regular walks at a pace at which talking is easy are good for the heart.", "based_on": [setup.mean_of_month()]}])
    );
    assert_eq!(
        answer["verification"],
        json!({"numbers_checked": 1, "numbers_unsupported": 0})
    );
    assert_eq!(
        answer["model"],
        json!({
            "name": "gemini-3.5-flash-lite",
            "version": frames::VERSION,
            "response_id": frames::RESPONSE_ID,
            "finish_reason": "STOP",
        })
    );
    let usage = &answer["usage"];
    assert_eq!(
        (
            &usage["prompt_tokens"],
            &usage["output_tokens"],
            &usage["thought_tokens"]
        ),
        (&json!(312), &json!(57), &json!(120))
    );
    assert_eq!(
        (&usage["cached_tokens"], &usage["attempts"]),
        (&json!(256), &json!(1))
    );
    assert!(usage["latency_ms"].is_u64());
    // Confidence depends on the data coverage, not on the model.
    assert_eq!(
        answer["confidence"],
        json!({"level": "high", "reasons": []})
    );
}

#[tokio::test]
async fn request_to_gemini_does_not_identify_the_user() {
    let setup = Setup::start().await;
    let listed = setup
        .app
        .get("/api/v1/data/user123?limit=1000")
        .await
        .expect(StatusCode::OK);
    setup.gemini.enqueue(reply(&setup.good()));
    ask(
        &setup.app,
        "I am user123, mail a@b.example: how is my heart rate?",
    )
    .await;
    let request = &setup.gemini.requests()[1];
    let raw = String::from_utf8(request.raw.to_vec()).unwrap();
    for private in ["user123", METADATA, "a@b.example", "2024-", "T12:00", KEY] {
        assert!(!raw.contains(private), "{private}");
    }
    for reading in listed["data"].as_array().unwrap() {
        assert!(!raw.contains(reading["data_id"].as_str().unwrap()));
    }
    assert!(!request.uri.contains(KEY));
    assert_eq!(request.headers["x-goog-api-key"], KEY);
    assert_eq!(request.body["store"], false);
    let turn = payload(&request.body);
    assert_eq!(
        turn["question"],
        "I am […], mail […]: how is my heart rate?"
    );
    assert_eq!(
        turn["newest"],
        json!([{"metric": "heart_rate", "days_ago": 1}])
    );
    let fact = &turn["facts"][0];
    assert_eq!(fact["id"], "f1");
    assert_eq!(fact["period"], "last 30 days");
}

/// Without facts there are no findings, but Gemini still chooses recommendations.
#[tokio::test]
async fn withheld_readings_are_not_sent() {
    let setup = Setup::start().await;
    let invented = draft(
        &[(
            "Your heart rate averaged 67.25 /min over the last 30 days.",
            &["f1"],
        )],
        &[("daylight", &["f1"]), ("no_such_advice", &[])],
    );
    setup
        .gemini
        .enqueue(reply(&draft(&[], &[("daylight", &["f1"])])));
    setup
        .gemini
        .enqueue(reply(&invented))
        .enqueue(reply(&invented));
    let ask = async |query: &str| {
        let question =
            json!({"user_id": "user123", "query": query, "include_recent_data": false}).to_string();
        let answer = setup.app.post_raw("/api/v1/insights", question).await;
        answer.expect(StatusCode::OK)
    };
    let answer = ask(QUESTION).await;
    assert_eq!(answer["source"], "gemini");
    assert_eq!(facts(&answer), [&Value::Null; 0]);
    assert_eq!(answer["confidence"]["level"], "low");
    assert!(
        answer["insight"]
            .as_str()
            .unwrap()
            .starts_with("There is nothing to go on")
    );
    assert_eq!(
        answer["recommendations"],
        json!([{
            "text": "Daylight in the morning and a little movement are a good start to the day.",
            "based_on": [],
        }])
    );
    let turn = payload(&setup.gemini.requests()[1].body);
    assert_eq!(turn["facts"], json!([]));
    assert_eq!(ask("And sleep?").await["status"], "fallback");
}

#[tokio::test]
async fn gemini_is_not_asked_without_readings() {
    let gemini = FakeGemini::start().await;
    let app = TestApp::start_with_gemini(&gemini, &[]).await;
    let answer = ask(&app, "How did I sleep?").await;
    assert_eq!(answer["source"], "statistics");
    assert_eq!(answer["status"], "complete");
    assert_eq!(answer["confidence"]["level"], "low");
    store(&app, [json!({"timestamp": "2024-05-31T00:00:00Z"})]).await;
    assert_eq!(ask(&app, "How did I sleep?").await["source"], "statistics");
    assert!(gemini.requests().is_empty());
}

#[tokio::test]
async fn service_notes_are_appended() {
    let setup = Setup::start().await;
    store(
        &setup.app,
        [json!({"data_type": "weight", "value": 80, "timestamp": "2024-03-01T00:00:00Z"})],
    )
    .await;
    let question = "heart rate, weight and sleep";
    let draft = setup.good();
    setup.gemini.enqueue(reply(&draft));
    let answer = ask(&setup.app, question).await;
    assert_eq!(
        answer["insight"],
        "Your heart rate averaged 67.25 /min over the last 30 days. There are no readings of \
         sleep; the newest readings of weight are of 2024-03-01, more than a week ago."
    );
    assert_eq!(answer["confidence"]["level"], "low");
}

/// Users with the same question and facts share one call; each gets the ids of
/// their own readings.
#[tokio::test]
async fn cached_answer_is_shared_across_users() {
    let setup = Setup::start().await;
    setup.gemini.enqueue(reply(&setup.good()));
    let first = setup.ask().await;
    let second = setup.ask().await;
    assert_eq!(first["insight"], second["insight"]);
    assert_ne!(first["answer_id"], second["answer_id"]);
    store(&setup.app, readings("another-user")).await;
    let question = json!({"user_id": "another-user", "query": QUESTION});
    let others = setup
        .app
        .post_raw("/api/v1/insights", question.to_string())
        .await;
    let others = others.expect(StatusCode::OK);
    assert_eq!(others["insight"], first["insight"]);
    assert_eq!(setup.requests(), 1);
    // A cached answer has no usage.
    assert_eq!(
        (&others["usage"], &others["model"]["response_id"]),
        (&Value::Null, &Value::Null)
    );
    let own = setup
        .app
        .get("/api/v1/data/another-user?limit=1000")
        .await
        .expect(StatusCode::OK);
    for id in facts(&others)[0]["reading_ids"].as_array().unwrap() {
        let data = own["data"].as_array().unwrap();
        assert!(data.iter().any(|reading| reading["data_id"] == *id));
    }
    // Other facts make another cache key.
    store(
        &setup.app,
        [json!({"timestamp": "2024-05-31T13:00:00Z", "value": 61})],
    )
    .await;
    setup.gemini.enqueue(errors::invalid_key());
    setup.ask().await;
    assert_eq!(setup.requests(), 2);
}

#[tokio::test]
async fn concurrent_identical_questions_make_one_call() {
    let setup = Setup::start().await;
    let slow = reply(&setup.good()).after(std::time::Duration::from_millis(300));
    setup.gemini.enqueue(slow);
    let asked = (0..8).map(|_| setup.ask());
    for answer in futures_util::future::join_all(asked).await {
        assert_eq!(answer["source"], "gemini");
    }
    assert_eq!(setup.requests(), 1);
}

#[tokio::test]
async fn zero_ttl_disables_the_cache() {
    let setup = Setup::start_with(&[("INSIGHT_CACHE_TTL", "0")]).await;
    for _ in 0..2 {
        setup.gemini.enqueue(reply(&setup.good()));
        assert_eq!(setup.ask().await["source"], "gemini");
    }
    assert_eq!(setup.requests(), 2);
}

/// An emergency does not wait for a model.
#[tokio::test]
async fn red_flags_are_answered_without_gemini() {
    let setup = Setup::start().await;
    for (words, sign) in RED_FLAGS {
        let answer = ask(&setup.app, words).await;
        assert_eq!(answer["status"], "escalated", "{words}");
        assert_eq!(answer["safety"]["escalation"], *sign);
    }
    let low =
        json!({"data_type": "blood_glucose", "value": 48, "timestamp": "2024-05-31T12:30:00Z"});
    store(&setup.app, [low]).await;
    assert_eq!(setup.ask().await["status"], "escalated");
    assert_eq!(setup.requests(), 0);
}
