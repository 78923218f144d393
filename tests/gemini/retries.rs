//! When a question is sent again, when not, how long after, and to whom.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{GeminiErrorKind, TimeoutKind};
use serde_json::json;

use crate::caller::{
    FALLBACK, MODEL, Sink, client, client_with_fallback, failure, generate, generate_within,
    stream, stream_within,
};
use crate::fake_gemini::{FakeGemini, Scripted, errors, frames};

/// Which models were asked, in order.
fn asked(fake: &FakeGemini) -> Vec<String> {
    let model = |uri: &str| {
        let rest = uri.strip_prefix("/v1beta/models/").unwrap();
        rest.split_once(':').unwrap().0.to_owned()
    };
    fake.requests().iter().map(|it| model(&it.uri)).collect()
}

/// The time between the first two requests.
fn pause(fake: &FakeGemini) -> Duration {
    let requests = fake.requests();
    requests[1].at - requests[0].at
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for status in [408, 429, 500, 502, 503, 504] {
        let fake = FakeGemini::start().await;
        let status = StatusCode::from_u16(status).unwrap();
        fake.enqueue(errors::of_status(status))
            .enqueue(Scripted::reply("Yes."));
        let reply = generate(&client(&fake)).await.unwrap();
        assert_eq!(
            (&*reply.text, reply.usage.attempts),
            ("Yes.", 2),
            "{status}"
        );
    }
}

#[tokio::test]
async fn three_attempts_are_the_most_and_all_the_same() {
    let fake = FakeGemini::start().await;
    for _ in 0..4 {
        fake.enqueue(errors::of_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let failure = failure(generate(&client(&fake)).await);
    assert_eq!(failure.kind, GeminiErrorKind::Unavailable { status: 503 });
    assert_eq!(failure.attempts, 3);
    let requests = fake.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|it| it.raw == requests[0].raw));
}

#[tokio::test]
async fn a_stream_that_breaks_is_begun_anew() {
    let broken = [
        Scripted::frames([frames::text("You ")]),
        Scripted::frames([frames::text("You ")]).then_cut(),
        Scripted::frames([]),
        Scripted::frames([
            frames::text("You "),
            errors::body(503, "UNAVAILABLE", "The model is overloaded."),
        ]),
        Scripted::frames([json!([errors::body(500, "INTERNAL", "Oh.")])]),
    ];
    for broken in broken {
        let fake = FakeGemini::start().await;
        fake.enqueue(broken).enqueue(Scripted::reply("Yes."));
        let mut sink = Sink::default();
        let reply = stream(&client(&fake), &mut sink).await.unwrap();
        assert_eq!((&*reply.text, reply.usage.attempts), ("Yes.", 2));
        assert_eq!((sink.attempts, sink.pieces), (2, vec!["Yes.".to_owned()]));
    }
}

#[tokio::test]
async fn a_whole_answer_that_breaks_is_asked_for_anew() {
    let fake = FakeGemini::start().await;
    let half = "{\"candidates\": [".to_owned();
    fake.enqueue(Scripted::raw(StatusCode::OK, "application/json", [half]).then_cut())
        .enqueue(Scripted::reply("Yes."));
    let reply = generate(&client(&fake)).await.unwrap();
    assert_eq!((&*reply.text, reply.usage.attempts), ("Yes.", 2));
}

#[tokio::test]
async fn nothing_is_tried_again_once_something_went_out() {
    let cut = || Scripted::frames([frames::text("You ")]).then_cut();
    let ended = || Scripted::frames([frames::text("You ")]);
    for (reply, kind) in [
        (cut(), GeminiErrorKind::BrokenStream),
        (ended(), GeminiErrorKind::BrokenStream),
        (
            Scripted::frames([
                frames::text("You "),
                errors::body(503, "UNAVAILABLE", "Oh."),
            ]),
            GeminiErrorKind::ErrorFrame { status: Some(503) },
        ),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let mut sink = Sink::eager();
        let failure = failure(stream(&client_with_fallback(&fake), &mut sink).await);
        assert_eq!((failure.kind, failure.attempts), (kind, 1));
        assert_eq!((sink.attempts, sink.pieces), (1, vec!["You ".to_owned()]));
        assert_eq!(fake.left(), 1);
    }
}

#[tokio::test]
async fn silence_leaves_time_for_another_attempt() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::silence())
        .enqueue(Scripted::reply("Yes."));
    let reply = generate_within(&client(&fake), Duration::from_secs(2)).await;
    assert_eq!(reply.unwrap().usage.attempts, 2);
}

#[tokio::test]
async fn a_stream_that_falls_silent_leaves_time_for_another_attempt() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::frames([frames::text("You ")]).then_hang())
        .enqueue(Scripted::reply("Yes."));
    let mut sink = Sink::default();
    let reply = stream_within(&client(&fake), Duration::from_secs(2), &mut sink).await;
    assert_eq!(reply.unwrap().usage.attempts, 2);
}

#[tokio::test]
async fn a_committed_stream_that_falls_silent_ends() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::frames([frames::text("You ")]).then_hang());
    let mut sink = Sink::eager();
    let outcome = stream_within(&client(&fake), Duration::from_secs(1), &mut sink).await;
    assert_eq!(
        failure(outcome).kind,
        GeminiErrorKind::Timeout(TimeoutKind::Idle)
    );
}

#[tokio::test]
async fn the_deadline_holds_whatever_happens() {
    let fake = FakeGemini::start().await;
    for _ in 0..3 {
        fake.enqueue(Scripted::silence());
    }
    let began = Instant::now();
    let failure = failure(generate_within(&client(&fake), Duration::from_millis(400)).await);
    assert_eq!(failure.attempts, 3);
    assert_eq!(
        failure.kind,
        GeminiErrorKind::Timeout(TimeoutKind::Deadline)
    );
    assert!(began.elapsed() >= Duration::from_millis(400));
    assert!(began.elapsed() < Duration::from_millis(1_500));
}

#[tokio::test]
async fn no_attempt_begins_without_time_for_it() {
    let fake = FakeGemini::start().await;
    let failure = failure(generate_within(&client(&fake), Duration::ZERO).await);
    assert_eq!(failure.attempts, 0);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn waits_as_long_as_gemini_asks_by_retry_info() {
    let fake = FakeGemini::start().await;
    fake.enqueue(errors::rate_limited("0.3s"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(pause(&fake) >= Duration::from_millis(300));
}

#[tokio::test]
async fn waits_as_long_as_gemini_asks_in_words() {
    for words in ["Please retry in 300ms.", "Please retry in 0.300171s."] {
        let fake = FakeGemini::start().await;
        fake.enqueue(errors::rate_limited_in_words(words))
            .enqueue(Scripted::reply("Yes."));
        generate(&client(&fake)).await.unwrap();
        assert!(pause(&fake) >= Duration::from_millis(300), "{words}");
    }
}

#[tokio::test]
async fn waits_as_long_as_retry_after_asks() {
    let fake = FakeGemini::start().await;
    let unavailable = errors::of_status(StatusCode::SERVICE_UNAVAILABLE);
    fake.enqueue(unavailable.header("retry-after", "1"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(pause(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn waits_until_the_date_that_retry_after_names() {
    let fake = FakeGemini::start().await;
    let unavailable = errors::of_status(StatusCode::SERVICE_UNAVAILABLE)
        .header("date", "Sat, 01 Jun 2024 12:00:00 GMT")
        .header("retry-after", "Sat, 01 Jun 2024 12:00:01 GMT");
    fake.enqueue(unavailable).enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(pause(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn waits_for_the_longest_that_is_asked() {
    let fake = FakeGemini::start().await;
    fake.enqueue(errors::rate_limited("0.01s").header("retry-after", "1"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(pause(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_wait_that_does_not_fit_is_not_begun() {
    let unavailable = || errors::of_status(StatusCode::SERVICE_UNAVAILABLE);
    for reply in [
        errors::rate_limited("60s"),
        errors::rate_limited_in_words("Please retry in 1h2m3.5s."),
        unavailable().header("retry-after", "60"),
        unavailable().header("retry-after", "18446744073709551615"),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let failure = failure(generate(&client(&fake)).await);
        assert_eq!(failure.attempts, 1);
        assert_eq!(fake.left(), 1);
    }
}

#[tokio::test]
async fn waits_that_make_no_sense_are_passed_over() {
    for words in [
        "Please retry in a while.",
        "Please retry in -5s.",
        "Please retry in ",
    ] {
        let fake = FakeGemini::start().await;
        let reply = errors::rate_limited_in_words(words).header("retry-after", "soon");
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        assert_eq!(generate(&client(&fake)).await.unwrap().usage.attempts, 2);
    }
}

#[tokio::test]
async fn another_model_answers_where_the_first_cannot() {
    let not_found = || errors::of_status(StatusCode::NOT_FOUND);
    for reply in [
        not_found(),
        errors::daily_quota(),
        errors::rate_limited("60s"),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let reply = generate(&client_with_fallback(&fake)).await.unwrap();
        assert_eq!((&*reply.model, reply.usage.attempts), (FALLBACK, 2));
        assert_eq!(asked(&fake), [MODEL, FALLBACK]);
        let requests = fake.requests();
        assert_eq!(requests[0].raw, requests[1].raw);
    }
}

#[tokio::test]
async fn the_last_attempt_is_kept_for_the_other_model() {
    let fake = FakeGemini::start().await;
    for _ in 0..4 {
        fake.enqueue(errors::of_status(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let failure = failure(generate(&client_with_fallback(&fake)).await);
    assert_eq!(failure.attempts, 3);
    assert_eq!(asked(&fake), [MODEL, MODEL, FALLBACK]);
}

#[tokio::test]
async fn another_model_answers_where_the_first_is_silent() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::silence())
        .enqueue(Scripted::silence())
        .enqueue(Scripted::reply("Yes."));
    let client = client_with_fallback(&fake);
    let reply = generate_within(&client, Duration::from_secs(2)).await;
    assert_eq!(reply.unwrap().model, FALLBACK);
}

#[tokio::test]
async fn another_model_is_not_asked_what_it_would_refuse_too() {
    for reply in [
        errors::invalid_key(),
        errors::of_status(StatusCode::UNAUTHORIZED),
        errors::of_status(StatusCode::FORBIDDEN),
        Scripted::frames([frames::blocked("SAFETY")]),
        Scripted::frames([frames::without_content("SAFETY")]),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let failure = failure(generate(&client_with_fallback(&fake)).await);
        assert_eq!(failure.attempts, 1);
        assert_eq!(fake.left(), 1);
    }
}
