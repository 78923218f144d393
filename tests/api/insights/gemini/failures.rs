//! Whatever Gemini does, there is an answer.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;

use super::{Setup, expect_fallback, reply};
use crate::fake_gemini::{Scripted, errors, frames};

type Script = fn(&Setup) -> Vec<Scripted>;

fn status(status: u16) -> Scripted {
    errors::of_status(StatusCode::from_u16(status).unwrap())
}

/// What Gemini does, and how often it is asked.
const FAILURES: &[(&str, usize, Script)] = &[
    ("a bad request", 1, |_| vec![status(400)]),
    ("an unknown key", 1, |_| vec![errors::invalid_key()]),
    ("no authentication", 1, |_| vec![status(401)]),
    ("no permission", 1, |_| vec![status(403)]),
    ("a model that is shut down", 1, |_| vec![status(404)]),
    ("a daily quota", 1, |_| vec![errors::daily_quota()]),
    ("a wait that does not fit", 1, |_| {
        vec![errors::rate_limited("60s")]
    }),
    ("an outage", 3, |_| {
        vec![status(503), status(500), status(504)]
    }),
    ("a blocked prompt", 1, |_| {
        vec![Scripted::frames([frames::blocked("PROHIBITED_CONTENT")])]
    }),
    ("safety", 1, |_| {
        vec![Scripted::frames([frames::without_content("SAFETY")])]
    }),
    ("recitation", 1, |_| {
        vec![Scripted::frames([frames::last("half", "RECITATION")])]
    }),
    ("prohibited content", 1, |_| {
        vec![Scripted::frames([frames::without_content(
            "PROHIBITED_CONTENT",
        )])]
    }),
    ("too many tokens", 1, |setup| {
        let good = setup.good().to_string();
        vec![Scripted::frames([frames::last(&good[..50], "MAX_TOKENS")])]
    }),
    ("a reason of a later version", 1, |setup| {
        vec![Scripted::frames([frames::last(
            &setup.good().to_string(),
            "SOMETHING_NEW",
        )])]
    }),
];

#[tokio::test]
async fn every_failure_is_answered_by_statistics() {
    let cases = FAILURES.iter().map(|(what, calls, script)| async move {
        let setup = Setup::start().await;
        for scripted in script(&setup) {
            setup.gemini.enqueue(scripted);
        }
        let answer = setup.ask().await;
        assert_eq!(answer["status"], "fallback", "{what}: {answer}");
        expect_fallback(&answer);
        assert_eq!(setup.requests(), *calls, "{what}");
        assert_eq!(answer["usage"]["attempts"], *calls, "{what}");
        // A failure is not remembered.
        setup.gemini.enqueue(reply(&setup.good()));
        if *calls == 1 {
            assert_eq!(setup.ask().await["source"], "gemini", "{what}");
        }
    });
    join_all(cases).await;
}

#[tokio::test]
async fn an_empty_answer_or_no_answer_is_no_answer() {
    let cases = [
        vec![
            Scripted::reply(""),
            Scripted::reply("  "),
            Scripted::reply(""),
        ],
        vec![Scripted::raw(StatusCode::OK, "text/html", ["<html>"])],
    ];
    let cases = cases.into_iter().map(|script| async move {
        let setup = Setup::start().await;
        for scripted in script {
            setup.gemini.enqueue(scripted);
        }
        expect_fallback(&setup.ask().await);
    });
    join_all(cases).await;
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let setup = Setup::start().await;
    setup
        .gemini
        .enqueue(status(503))
        .enqueue(reply(&setup.good()));
    let answer = setup.ask().await;
    assert_eq!(answer["source"], "gemini");
    assert_eq!(answer["usage"]["attempts"], 2);
    let requests = setup.gemini.requests();
    assert_eq!(requests[1].raw, requests[2].raw, "byte for byte");
}

#[tokio::test]
async fn another_model_is_asked_when_one_is_gone() {
    let setup = Setup::start_with(&[("GEMINI_FALLBACK_MODEL", "gemini-other")]).await;
    setup
        .gemini
        .enqueue(status(404))
        .enqueue(reply(&setup.good()));
    let answer = setup.ask().await;
    assert_eq!(answer["source"], "gemini");
    assert_eq!(answer["model"]["name"], "gemini-other");
    let requests = setup.gemini.requests();
    let last = requests.last().unwrap();
    assert!(
        last.uri.contains("/models/gemini-other:generateContent"),
        "{}",
        last.uri
    );
}

/// An answer comes by the deadline, whatever Gemini does.
#[tokio::test]
async fn a_deadline_is_kept() {
    let setup = Setup::start_with(&[("INSIGHT_DEADLINE", "2")]).await;
    setup.gemini.enqueue(Scripted::silence());
    expect_fallback(&setup.ask().await);
    // Slow, but in time.
    let slow = reply(&setup.good()).after(Duration::from_millis(100));
    setup.gemini.enqueue(slow);
    assert_eq!(setup.ask().await["source"], "gemini");
}

#[tokio::test]
async fn without_a_connection_statistics_answer() {
    // Nobody listens there any more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gemini = crate::fake_gemini::FakeGemini::start().await;
    let settings = [("GEMINI_BASE_URL", url.as_str()), ("INSIGHT_DEADLINE", "2")];
    let app = crate::app::TestApp::start_with_gemini(&gemini, &settings).await;
    crate::insights::store(&app, super::readings("user123")).await;
    expect_fallback(&crate::insights::ask(&app, super::QUESTION).await);
    assert!(gemini.requests().is_empty());
}
