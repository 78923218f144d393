//! Error kinds of unusable replies, the same whole and streamed.

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{BlockReason, FinishReason, GeminiErrorKind, Prompt};
use serde_json::json;
use tokio::time::Instant;

use crate::fake_gemini::{FakeGemini, Scripted, errors, frames};
use crate::fixtures::{LONG, Sink, client, error_kind, failure, prompt, stream};

#[tokio::test]
async fn max_tokens_is_reported() {
    let kind = error_kind(|| Scripted::frames([frames::last("{\"sent", "MAX_TOKENS")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::MaxTokens));
    assert_eq!(kind.code(), "max_tokens");
}

#[tokio::test]
async fn max_tokens_without_content_is_reported() {
    let kind = error_kind(|| Scripted::frames([frames::without_content("MAX_TOKENS")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::MaxTokens));
}

#[tokio::test]
async fn safety_finish_reason_is_reported() {
    let kind = error_kind(|| Scripted::frames([frames::without_content("SAFETY")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::Safety));
}

#[tokio::test]
async fn recitation_finish_reason_is_reported() {
    let kind = error_kind(|| Scripted::frames([frames::without_content("RECITATION")])).await;
    assert_eq!(kind, GeminiErrorKind::Finished(FinishReason::Recitation));
}

#[tokio::test]
async fn prohibited_content_finish_reason_is_reported() {
    let kind =
        error_kind(|| Scripted::frames([frames::without_content("PROHIBITED_CONTENT")])).await;
    assert_eq!(
        kind,
        GeminiErrorKind::Finished(FinishReason::ProhibitedContent)
    );
}

#[tokio::test]
async fn unknown_finish_reason_is_reported_by_name() {
    let kind = error_kind(|| Scripted::frames([frames::last("Yes.", "TOO_MANY_MOONS")])).await;
    let reason = FinishReason::Other("TOO_MANY_MOONS".to_owned());
    assert_eq!(kind, GeminiErrorKind::Finished(reason));
}

#[tokio::test]
async fn unprintable_finish_reason_is_replaced() {
    let kind = error_kind(|| Scripted::frames([frames::last("Yes.", "you asked: am I ill")])).await;
    assert_eq!(
        kind.to_string(),
        "Gemini ended its reply early (UNREADABLE)"
    );
}

#[tokio::test]
async fn blocked_prompt_is_reported_with_its_reason() {
    for (name, reason) in [
        ("SAFETY", BlockReason::Safety),
        ("BLOCKLIST", BlockReason::Blocklist),
        ("PROHIBITED_CONTENT", BlockReason::ProhibitedContent),
        ("OTHER", BlockReason::Other("OTHER".to_owned())),
    ] {
        let kind = error_kind(|| Scripted::frames([frames::blocked(name)])).await;
        assert_eq!(kind, GeminiErrorKind::Blocked(reason));
    }
}

#[tokio::test]
async fn block_reason_takes_precedence_over_text() {
    let mut answer = frames::last("Yes.", "STOP");
    answer["promptFeedback"] = json!({"blockReason": "SAFETY"});
    let kind = error_kind(|| Scripted::frames([answer.clone()])).await;
    assert_eq!(kind, GeminiErrorKind::Blocked(BlockReason::Safety));
}

#[tokio::test]
async fn reply_without_text_is_empty() {
    for parts in [
        json!([]),
        json!([{"text": ""}]),
        json!([{"text": "Hm.", "thought": true}]),
    ] {
        let kind =
            error_kind(|| Scripted::frames([frames::with_parts(&parts, Some("STOP"))])).await;
        assert_eq!(kind, GeminiErrorKind::Empty, "{parts}");
    }
    let kind = error_kind(|| Scripted::frames([frames::without_content("STOP")])).await;
    assert_eq!(kind, GeminiErrorKind::Empty);
}

#[tokio::test]
async fn text_of_a_frame_with_a_bad_finish_reason_is_withheld() {
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
async fn invalid_json_is_malformed() {
    let truncated = "{\"candidates\": [{\"content\": {\"par";
    let raw =
        |content_type, text: &str| Scripted::raw(StatusCode::OK, content_type, [text.to_owned()]);
    let kind = error_kind(|| raw("application/json", truncated)).await;
    assert_eq!(kind, GeminiErrorKind::Malformed);
    let kind = error_kind(|| raw("text/html", "<html>Sign in to the network</html>")).await;
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
async fn invalid_utf8_is_malformed() {
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
async fn oversized_response_is_rejected() {
    let huge = frames::last(&"x".repeat(1024 * 1024), "STOP");
    let kind = error_kind(|| Scripted::frames([huge.clone()])).await;
    assert_eq!(kind, GeminiErrorKind::TooLarge);
}

#[tokio::test]
async fn oversized_stream_is_rejected() {
    let fake = FakeGemini::start().await;
    let piece = frames::text(&"x".repeat(100_000));
    fake.enqueue(Scripted::frames(vec![piece; 12]));
    let mut sink = Sink::eager();
    let failure = failure(stream(&client(&fake), &mut sink).await);
    assert_eq!(failure.kind, GeminiErrorKind::TooLarge);
    assert!(sink.pieces.len() <= 10);
}

#[tokio::test]
async fn client_error_statuses_are_rejections() {
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        (StatusCode::NOT_FOUND, "NOT_FOUND"),
    ] {
        let kind = error_kind(|| errors::for_status(status)).await;
        let (status, code) = (status.as_u16(), Some(code.to_owned()));
        assert_eq!(kind, GeminiErrorKind::Rejected { status, code });
    }
}

#[tokio::test]
async fn unknown_key_error_names_the_setting_to_check() {
    let kind = error_kind(errors::invalid_key).await;
    assert_eq!(
        kind.to_string(),
        "Gemini rejected the request (400 API_KEY_INVALID): check GEMINI_API_KEY and GEMINI_MODEL"
    );
}

#[tokio::test]
async fn unsupported_schema_is_a_rejection() {
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
async fn error_in_a_list_is_understood() {
    let list = json!([errors::body(403, "PERMISSION_DENIED", "No.")]);
    let kind = error_kind(|| Scripted::error(StatusCode::FORBIDDEN, list.clone())).await;
    let code = Some("PERMISSION_DENIED".to_owned());
    assert_eq!(kind, GeminiErrorKind::Rejected { status: 403, code });
}

#[tokio::test]
async fn error_with_unreadable_body_is_a_rejection() {
    let kind =
        error_kind(|| Scripted::raw(StatusCode::BAD_REQUEST, "text/html", ["<h1>400</h1>"])).await;
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
    let kind = error_kind(elsewhere).await;
    assert_eq!(
        kind,
        GeminiErrorKind::Rejected {
            status: 302,
            code: None
        }
    );
}

#[tokio::test]
async fn error_frame_with_success_status_is_reported() {
    let body = errors::body(400, "INVALID_ARGUMENT", "No.");
    for frame in [body.clone(), json!([body])] {
        let kind = error_kind(|| Scripted::frames([frame.clone()])).await;
        assert_eq!(kind, GeminiErrorKind::ErrorFrame { status: Some(400) });
    }
}

#[tokio::test]
async fn daily_quota_is_distinguished_from_the_rate_limit() {
    let kind = error_kind(errors::daily_quota).await;
    assert_eq!(kind, GeminiErrorKind::QuotaExhausted);
    let kind = error_kind(|| Scripted::frames([errors::daily_quota_body()])).await;
    assert_eq!(kind, GeminiErrorKind::QuotaExhausted);
}
