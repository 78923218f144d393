//! Replies that are no answer: each has a type of its own, whole or streamed.

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{BlockReason, FinishReason, GeminiErrorKind, Prompt};
use serde_json::json;
use tokio::time::Instant;

use crate::caller::{LONG, Sink, client, failure, outcome, prompt, stream};
use crate::fake_gemini::{FakeGemini, Scripted, errors, frames};

#[tokio::test]
async fn too_many_tokens() {
    let kind = outcome(|| Scripted::frames([frames::last("{\"sent", "MAX_TOKENS")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::MaxTokens));
    assert_eq!(kind.code(), "max_tokens");
}

#[tokio::test]
async fn thoughts_that_ate_the_answer() {
    let kind = outcome(|| Scripted::frames([frames::without_content("MAX_TOKENS")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::MaxTokens));
}

#[tokio::test]
async fn safety() {
    let kind = outcome(|| Scripted::frames([frames::without_content("SAFETY")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::Safety));
}

#[tokio::test]
async fn recitation() {
    let kind = outcome(|| Scripted::frames([frames::without_content("RECITATION")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::Recitation));
}

#[tokio::test]
async fn prohibited_content() {
    let kind = outcome(|| Scripted::frames([frames::without_content("PROHIBITED_CONTENT")])).await;
    assert_eq!(
        kind,
        GeminiErrorKind::Finished(FinishReason::ProhibitedContent)
    );
}

#[tokio::test]
async fn an_end_for_a_reason_that_is_new() {
    let kind = outcome(|| Scripted::frames([frames::last("Yes.", "TOO_MANY_MOONS")])).await;
    let reason = FinishReason::Other("TOO_MANY_MOONS".to_owned());
    assert_eq!(kind, GeminiErrorKind::Finished(reason));
}

#[tokio::test]
async fn a_reason_that_is_no_name_is_not_repeated() {
    let kind = outcome(|| Scripted::frames([frames::last("Yes.", "you asked: am I ill")])).await;
    assert_eq!(
        kind.to_string(),
        "Gemini ended its reply early (UNREADABLE)"
    );
}

#[tokio::test]
async fn a_blocked_question() {
    for (name, reason) in [
        ("SAFETY", BlockReason::Safety),
        ("BLOCKLIST", BlockReason::Blocklist),
        ("PROHIBITED_CONTENT", BlockReason::ProhibitedContent),
        ("OTHER", BlockReason::Other("OTHER".to_owned())),
    ] {
        let kind = outcome(|| Scripted::frames([frames::blocked(name)])).await;
        assert_eq!(kind, GeminiErrorKind::Blocked(reason));
    }
}

#[tokio::test]
async fn a_block_counts_more_than_text_beside_it() {
    let mut answer = frames::last("Yes.", "STOP");
    answer["promptFeedback"] = json!({"blockReason": "SAFETY"});
    let kind = outcome(|| Scripted::frames([answer.clone()])).await;
    assert_eq!(kind, GeminiErrorKind::Blocked(BlockReason::Safety));
}

#[tokio::test]
async fn an_empty_answer() {
    for parts in [
        json!([]),
        json!([{"text": ""}]),
        json!([{"text": "Hm.", "thought": true}]),
    ] {
        let kind = outcome(|| Scripted::frames([frames::of_parts(&parts, Some("STOP"))])).await;
        assert_eq!(kind, GeminiErrorKind::Empty, "{parts}");
    }
    let kind = outcome(|| Scripted::frames([frames::without_content("STOP")])).await;
    assert_eq!(kind, GeminiErrorKind::Empty);
}

#[tokio::test]
async fn text_of_a_piece_that_ends_badly_goes_to_nobody() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::frames([
        frames::text("You "),
        frames::last("should", "SAFETY"),
    ]));
    let mut sink = Sink::eager();
    let failure = failure(stream(&client(&fake), &mut sink).await);
    assert_eq!(
        failure.kind,
        GeminiErrorKind::Finished(FinishReason::Safety)
    );
    assert_eq!(sink.pieces, ["You "]);
}

#[tokio::test]
async fn json_that_is_none() {
    let truncated = "{\"candidates\": [{\"content\": {\"par";
    let raw =
        |content_type, text: &str| Scripted::raw(StatusCode::OK, content_type, [text.to_owned()]);
    let kind = outcome(|| raw("application/json", truncated)).await;
    assert_eq!(kind, GeminiErrorKind::Malformed);
    let kind = outcome(|| raw("text/html", "<html>Sign in to the network</html>")).await;
    assert_eq!(kind, GeminiErrorKind::Malformed);

    let fake = FakeGemini::start().await;
    fake.enqueue(raw(
        "text/event-stream",
        &format!("data: {truncated}\r\n\r\n"),
    ));
    let failure = failure(stream(&client(&fake), &mut Sink::default()).await);
    assert_eq!(failure.kind, GeminiErrorKind::Malformed);
}

#[tokio::test]
async fn bytes_that_are_no_text() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::raw(
        StatusCode::OK,
        "text/event-stream",
        [&b"data: \xff\xfe\r\n\r\n"[..]],
    ));
    let failure = failure(stream(&client(&fake), &mut Sink::default()).await);
    assert_eq!(failure.kind, GeminiErrorKind::Malformed);
}

#[tokio::test]
async fn an_answer_that_is_too_large() {
    let huge = frames::last(&"x".repeat(1024 * 1024), "STOP");
    let kind = outcome(|| Scripted::frames([huge.clone()])).await;
    assert_eq!(kind, GeminiErrorKind::TooLarge);
}

#[tokio::test]
async fn a_stream_that_is_too_large_in_all() {
    let fake = FakeGemini::start().await;
    let piece = frames::text(&"x".repeat(100_000));
    fake.enqueue(Scripted::frames(vec![piece; 12]));
    let mut sink = Sink::eager();
    let failure = failure(stream(&client(&fake), &mut sink).await);
    assert_eq!(failure.kind, GeminiErrorKind::TooLarge);
    assert!(sink.pieces.len() <= 10);
}

#[tokio::test]
async fn requests_that_are_refused() {
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        (StatusCode::NOT_FOUND, "NOT_FOUND"),
    ] {
        let kind = outcome(|| errors::of_status(status)).await;
        let (status, code) = (status.as_u16(), Some(code.to_owned()));
        assert_eq!(kind, GeminiErrorKind::Rejected { status, code });
    }
}

#[tokio::test]
async fn a_key_that_google_does_not_know() {
    let kind = outcome(errors::invalid_key).await;
    assert_eq!(
        kind.to_string(),
        "Gemini rejected the request (400 API_KEY_INVALID): check GEMINI_API_KEY and GEMINI_MODEL"
    );
}

#[tokio::test]
async fn a_schema_that_gemini_does_not_take() {
    let fake = FakeGemini::start().await;
    for schema in [
        json!({"type": "OBJECT", "additionalProperties": false}),
        json!({"type": "ARRAY", "items": {"type": ["STRING", "NULL"]}}),
    ] {
        let prompt = Prompt {
            response_schema: schema,
            ..prompt()
        };
        let call = client(&fake).generate(&prompt, Instant::now() + LONG).await;
        let (status, code) = (400, Some("INVALID_ARGUMENT".to_owned()));
        assert_eq!(
            failure(call).kind,
            GeminiErrorKind::Rejected { status, code }
        );
    }
}

#[tokio::test]
async fn an_error_wrapped_in_a_list() {
    let list = json!([errors::body(403, "PERMISSION_DENIED", "No.")]);
    let kind = outcome(|| Scripted::error(StatusCode::FORBIDDEN, list.clone())).await;
    let code = Some("PERMISSION_DENIED".to_owned());
    assert_eq!(kind, GeminiErrorKind::Rejected { status: 403, code });
}

#[tokio::test]
async fn an_error_without_a_body_that_is_understood() {
    let kind =
        outcome(|| Scripted::raw(StatusCode::BAD_REQUEST, "text/html", ["<h1>400</h1>"])).await;
    assert_eq!(
        kind,
        GeminiErrorKind::Rejected {
            status: 400,
            code: None
        }
    );
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = || {
        Scripted::raw(StatusCode::FOUND, "text/html", ["moved"])
            .header("location", "http://127.0.0.1:1/elsewhere")
    };
    let kind = outcome(elsewhere).await;
    assert_eq!(
        kind,
        GeminiErrorKind::Rejected {
            status: 302,
            code: None
        }
    );
}

#[tokio::test]
async fn an_error_in_place_of_an_answer() {
    let body = errors::body(400, "INVALID_ARGUMENT", "No.");
    for frame in [body.clone(), json!([body])] {
        let kind = outcome(|| Scripted::frames([frame.clone()])).await;
        assert_eq!(kind, GeminiErrorKind::ErrorFrame { status: Some(400) });
    }
}

#[tokio::test]
async fn a_quota_of_the_day() {
    let kind = outcome(errors::daily_quota).await;
    assert_eq!(kind, GeminiErrorKind::QuotaExhausted);
    let kind = outcome(|| Scripted::frames([errors::daily_quota_body()])).await;
    assert_eq!(kind, GeminiErrorKind::QuotaExhausted);
}
