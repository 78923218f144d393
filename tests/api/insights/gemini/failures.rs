//! Failures of Gemini, each of which is answered by statistics.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;

use super::{Setup, expect_fallback, reply};
use crate::support::fake_gemini::{Scripted, errors, frames};

type Script = fn(&Setup) -> Vec<Scripted>;

fn status(status: u16) -> Scripted {
    errors::for_status(StatusCode::from_u16(status).unwrap())
}

/// Failures: description, number of requests, script.
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
async fn every_failure_falls_back_to_statistics() {
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
        // Failures are not cached.
        setup.gemini.enqueue(reply(&setup.good()));
        if *calls == 1 {
            assert_eq!(setup.ask().await["source"], "gemini", "{what}");
        }
    });
    join_all(cases).await;
}

#[tokio::test]
async fn empty_or_malformed_reply_falls_back_to_statistics() {
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
async fn transient_error_is_retried() {
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
async fn fallback_model_is_asked_when_the_primary_is_shut_down() {
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

#[tokio::test]
async fn insight_deadline_is_kept() {
    let setup = Setup::start_with(&[("INSIGHT_DEADLINE", "2")]).await;
    setup.gemini.enqueue(Scripted::silence());
    expect_fallback(&setup.ask().await);
    // Slow, but within the deadline.
    let slow = reply(&setup.good()).after(Duration::from_millis(100));
    setup.gemini.enqueue(slow);
    assert_eq!(setup.ask().await["source"], "gemini");
}

#[tokio::test]
async fn connection_failure_falls_back_to_statistics() {
    // A port without a listener.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let gemini = crate::support::fake_gemini::FakeGemini::start().await;
    let settings = [("GEMINI_BASE_URL", url.as_str()), ("INSIGHT_DEADLINE", "2")];
    let app = crate::support::app::TestApp::start_with_gemini(&gemini, &settings).await;
    crate::insights::store(&app, super::readings("user123")).await;
    expect_fallback(&crate::insights::ask(&app, super::QUESTION).await);
    assert!(gemini.requests().is_empty());
}
