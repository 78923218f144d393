//! Retries, their delays, and the fallback model.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{GeminiErrorKind, TimeoutKind};
use serde_json::json;

use crate::fake_gemini::{FakeGemini, Scripted, errors, frames};
use crate::fixtures::{
    FALLBACK, MODEL, Sink, client, client_with_fallback, failure, generate, generate_within,
    stream, stream_within,
};

/// Returns the models that were asked, in order.
fn models_asked(fake: &FakeGemini) -> Vec<String> {
    let model = |uri: &str| {
        let rest = uri.strip_prefix("/v1beta/models/").unwrap();
        rest.split_once(':').unwrap().0.to_owned()
    };
    fake.requests().iter().map(|it| model(&it.uri)).collect()
}

/// Returns the time between the first two requests.
fn retry_delay(fake: &FakeGemini) -> Duration {
    let requests = fake.requests();
    requests[1].at - requests[0].at
}

#[tokio::test]
async fn transient_statuses_are_retried() {
    for status in [408, 429, 500, 502, 503, 504] {
        let fake = FakeGemini::start().await;
        let status = StatusCode::from_u16(status).unwrap();
        fake.enqueue(errors::for_status(status))
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
async fn at_most_three_identical_requests_are_sent() {
    let fake = FakeGemini::start().await;
    for _ in 0..4 {
        fake.enqueue(errors::for_status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let failure = failure(generate(&client(&fake)).await);
    assert_eq!(failure.kind, GeminiErrorKind::Unavailable { status: 503 });
    assert_eq!(failure.attempts, 3);
    let requests = fake.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|it| it.raw == requests[0].raw));
}

#[tokio::test]
async fn broken_stream_is_retried() {
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
async fn truncated_whole_response_is_retried() {
    let fake = FakeGemini::start().await;
    let half = "{\"candidates\": [".to_owned();
    fake.enqueue(Scripted::raw(StatusCode::OK, "application/json", [half]).then_cut())
        .enqueue(Scripted::reply("Yes."));
    let reply = generate(&client(&fake)).await.unwrap();
    assert_eq!((&*reply.text, reply.usage.attempts), ("Yes.", 2));
}

#[tokio::test]
async fn committed_stream_is_not_retried() {
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
        assert_eq!(fake.remaining(), 1);
    }
}

#[tokio::test]
async fn silent_server_leaves_time_for_a_retry() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::silence())
        .enqueue(Scripted::reply("Yes."));
    let reply = generate_within(&client(&fake), Duration::from_secs(2)).await;
    assert_eq!(reply.unwrap().usage.attempts, 2);
}

#[tokio::test]
async fn stalled_stream_leaves_time_for_a_retry() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::frames([frames::text("You ")]).then_hang())
        .enqueue(Scripted::reply("Yes."));
    let mut sink = Sink::default();
    let reply = stream_within(&client(&fake), Duration::from_secs(2), &mut sink).await;
    assert_eq!(reply.unwrap().usage.attempts, 2);
}

#[tokio::test]
async fn stalled_committed_stream_times_out() {
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
async fn deadline_bounds_all_attempts() {
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
async fn no_attempt_starts_without_enough_time() {
    let fake = FakeGemini::start().await;
    let failure = failure(generate_within(&client(&fake), Duration::ZERO).await);
    assert_eq!(failure.attempts, 0);
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn retry_waits_for_the_delay_in_retry_info() {
    let fake = FakeGemini::start().await;
    fake.enqueue(errors::rate_limited("0.3s"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(retry_delay(&fake) >= Duration::from_millis(300));
}

#[tokio::test]
async fn retry_waits_for_the_delay_in_the_message() {
    for words in ["Please retry in 300ms.", "Please retry in 0.300171s."] {
        let fake = FakeGemini::start().await;
        fake.enqueue(errors::rate_limited_in_words(words))
            .enqueue(Scripted::reply("Yes."));
        generate(&client(&fake)).await.unwrap();
        assert!(retry_delay(&fake) >= Duration::from_millis(300), "{words}");
    }
}

#[tokio::test]
async fn retry_waits_for_retry_after_seconds() {
    let fake = FakeGemini::start().await;
    let unavailable = errors::for_status(StatusCode::SERVICE_UNAVAILABLE);
    fake.enqueue(unavailable.header("retry-after", "1"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(retry_delay(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn retry_waits_until_the_retry_after_date() {
    let fake = FakeGemini::start().await;
    let unavailable = errors::for_status(StatusCode::SERVICE_UNAVAILABLE)
        .header("date", "Sat, 01 Jun 2024 12:00:00 GMT")
        .header("retry-after", "Sat, 01 Jun 2024 12:00:01 GMT");
    fake.enqueue(unavailable).enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(retry_delay(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn retry_waits_for_the_longest_delay() {
    let fake = FakeGemini::start().await;
    fake.enqueue(errors::rate_limited("0.01s").header("retry-after", "1"))
        .enqueue(Scripted::reply("Yes."));
    generate(&client(&fake)).await.unwrap();
    assert!(retry_delay(&fake) >= Duration::from_secs(1));
}

#[tokio::test]
async fn delay_beyond_the_deadline_is_not_waited_for() {
    let unavailable = || errors::for_status(StatusCode::SERVICE_UNAVAILABLE);
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
        assert_eq!(fake.remaining(), 1);
    }
}

#[tokio::test]
async fn invalid_delays_are_ignored() {
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
async fn fallback_model_replies_when_the_primary_cannot() {
    let not_found = || errors::for_status(StatusCode::NOT_FOUND);
    for reply in [
        not_found(),
        errors::daily_quota(),
        errors::rate_limited("60s"),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let reply = generate(&client_with_fallback(&fake)).await.unwrap();
        assert_eq!((&*reply.model, reply.usage.attempts), (FALLBACK, 2));
        assert_eq!(models_asked(&fake), [MODEL, FALLBACK]);
        let requests = fake.requests();
        assert_eq!(requests[0].raw, requests[1].raw);
    }
}

#[tokio::test]
async fn last_attempt_is_reserved_for_the_fallback_model() {
    let fake = FakeGemini::start().await;
    for _ in 0..4 {
        fake.enqueue(errors::for_status(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let failure = failure(generate(&client_with_fallback(&fake)).await);
    assert_eq!(failure.attempts, 3);
    assert_eq!(models_asked(&fake), [MODEL, MODEL, FALLBACK]);
}

#[tokio::test]
async fn fallback_model_replies_when_the_primary_is_silent() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::silence())
        .enqueue(Scripted::silence())
        .enqueue(Scripted::reply("Yes."));
    let client = client_with_fallback(&fake);
    let reply = generate_within(&client, Duration::from_secs(2)).await;
    assert_eq!(reply.unwrap().model, FALLBACK);
}

#[tokio::test]
async fn rejected_requests_do_not_fall_back() {
    for reply in [
        errors::invalid_key(),
        errors::for_status(StatusCode::UNAUTHORIZED),
        errors::for_status(StatusCode::FORBIDDEN),
        Scripted::frames([frames::blocked("SAFETY")]),
        Scripted::frames([frames::without_content("SAFETY")]),
    ] {
        let fake = FakeGemini::start().await;
        fake.enqueue(reply).enqueue(Scripted::reply("Yes."));
        let failure = failure(generate(&client_with_fallback(&fake)).await);
        assert_eq!(failure.attempts, 1);
        assert_eq!(fake.remaining(), 1);
    }
}
