//! Successful replies, whole and streamed.

use std::time::Duration;

use axum::http::StatusCode;
use clarity_backend::insights::gemini::{Prompt, Role, Turn, Usage};
use serde_json::json;
use tokio::time::Instant;

use crate::fake_gemini::{FakeGemini, Scripted, frames};
use crate::fixtures::{LONG, MODEL, Sink, client, generate, prompt, stream};

#[tokio::test]
async fn whole_reply_reports_model_and_usage() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("You slept 7 h."));
    let reply = generate(&client(&fake)).await.unwrap();
    assert_eq!(reply.text, "You slept 7 h.");
    assert_eq!(reply.model, MODEL);
    assert_eq!(reply.version.as_deref(), Some(frames::VERSION));
    assert_eq!(reply.response_id.as_deref(), Some(frames::RESPONSE_ID));
    assert_eq!(reply.finish_reason, "STOP");
    let expected = Usage {
        prompt_tokens: Some(312),
        output_tokens: Some(57),
        thought_tokens: Some(120),
        cached_tokens: Some(256),
        attempts: 1,
        latency: reply.usage.latency,
    };
    assert_eq!(reply.usage, expected);
    let request = &fake.requests()[0];
    assert_eq!(
        request.uri,
        format!("/v1beta/models/{MODEL}:generateContent")
    );
    assert_eq!(
        request.body["contents"][0]["parts"][0]["text"],
        prompt().turns[0].text
    );
    assert_eq!(
        request.body["generationConfig"]["responseSchema"],
        prompt().response_schema
    );
}

#[tokio::test]
async fn streamed_reply_arrives_in_pieces() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::frames([
        frames::text("You slept "),
        frames::text("7 h "),
        frames::last("a night.", "STOP"),
    ]));
    let mut sink = Sink::default();
    let reply = stream(&client(&fake), &mut sink).await.unwrap();
    assert_eq!(reply.text, "You slept 7 h a night.");
    assert_eq!(sink.pieces, ["You slept ", "7 h ", "a night."]);
    assert_eq!(reply.usage.output_tokens, Some(57));
    let request = &fake.requests()[0];
    assert_eq!(
        request.uri,
        format!("/v1beta/models/{MODEL}:streamGenerateContent?alt=sse")
    );
}

#[tokio::test]
async fn turns_are_sent_in_order() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("7 h."));
    let turn = |role, text: &str| Turn {
        role,
        text: text.to_owned(),
    };
    let prompt = Prompt {
        turns: vec![
            turn(Role::User, "How long?"),
            turn(Role::Model, "9 h."),
            turn(Role::User, "That is no fact."),
        ],
        ..prompt()
    };
    let deadline = Instant::now() + LONG;
    client(&fake).generate(&prompt, deadline).await.unwrap();
    let turn = |role, text| json!({"role": role, "parts": [{"text": text}]});
    assert_eq!(
        fake.requests()[0].body["contents"],
        json!([
            turn("user", "How long?"),
            turn("model", "9 h."),
            turn("user", "That is no fact.")
        ])
    );
}

#[tokio::test]
async fn thoughts_are_excluded_from_the_reply() {
    let fake = FakeGemini::start().await;
    let parts = json!([{"text": "Hm.", "thought": true}, {"text": "You "}, {"text": "did."}]);
    fake.enqueue(Scripted::frames([frames::with_parts(&parts, Some("STOP"))]));
    assert_eq!(generate(&client(&fake)).await.unwrap().text, "You did.");

    fake.enqueue(Scripted::frames([
        frames::thought("Hm."),
        frames::last("You did.", "STOP"),
    ]));
    let mut sink = Sink::default();
    assert_eq!(
        stream(&client(&fake), &mut sink).await.unwrap().text,
        "You did."
    );
    assert_eq!(sink.pieces, ["You did."]);
}

#[tokio::test]
async fn fields_other_than_text_are_optional() {
    let fake = FakeGemini::start().await;
    let bare =
        json!({"candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}]});
    fake.enqueue(Scripted::frames([bare]));
    let reply = generate(&client(&fake)).await.unwrap();
    assert_eq!(reply.text, "Yes.");
    assert_eq!(reply.usage.prompt_tokens, None);
    assert_eq!((reply.version, reply.response_id), (None, None));
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let fake = FakeGemini::start().await;
    let mut answer = frames::last("Yes.", "STOP");
    answer["modelStatus"] = json!({"modelStage": "STABLE"});
    answer["candidates"][0]["avgLogprobs"] = json!(-0.1);
    answer["candidates"][0]["content"]["parts"][0]["thoughtSignature"] = json!("CpYB");
    fake.enqueue(Scripted::frames([answer]));
    assert_eq!(generate(&client(&fake)).await.unwrap().text, "Yes.");
}

#[tokio::test]
async fn event_lines_may_end_in_lf_or_crlf() {
    let fake = FakeGemini::start().await;
    for line_end in ["\r\n", "\n"] {
        let frames = [frames::text("A"), frames::last("B", "STOP")];
        fake.enqueue(Scripted::frames(frames).with_line_end(line_end));
        let reply = stream(&client(&fake), &mut Sink::default()).await.unwrap();
        assert_eq!(reply.text, "AB", "{line_end:?}");
    }
}

#[tokio::test]
async fn characters_split_across_packets_are_joined() {
    let fake = FakeGemini::start().await;
    let event = format!("data: {}\r\n\r\n", frames::last("7½ h 👍", "STOP"));
    let event = event.as_bytes();
    let mut pieces: Vec<Vec<u8>> = event
        .split_inclusive(|&byte| byte > 127)
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(pieces.len(), 7);
    // The line ends are split as well.
    let last = pieces.pop().unwrap();
    pieces.extend(
        last.rchunks(1)
            .rev()
            .map(<[u8]>::to_vec)
            .skip(last.len() - 3),
    );
    pieces.insert(6, last[..last.len() - 3].to_vec());
    fake.enqueue(Scripted::raw(StatusCode::OK, "text/event-stream", pieces));
    let mut sink = Sink::default();
    let reply = stream(&client(&fake), &mut sink).await.unwrap();
    assert_eq!(reply.text, "7½ h 👍");
    assert_eq!(sink.pieces, ["7½ h 👍"]);
}

#[tokio::test]
async fn slow_reply_within_the_deadline_is_accepted() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("Yes.").after(Duration::from_millis(200)));
    let reply = generate(&client(&fake)).await.unwrap();
    assert_eq!(reply.usage.attempts, 1);
    assert!(reply.usage.latency >= Duration::from_millis(200));
}

#[tokio::test]
async fn whole_response_to_a_stream_request_is_accepted() {
    let fake = FakeGemini::start().await;
    let whole = frames::last("Yes.", "STOP").to_string();
    fake.enqueue(Scripted::raw(StatusCode::OK, "application/json", [whole]));
    let mut sink = Sink::default();
    assert_eq!(
        stream(&client(&fake), &mut sink).await.unwrap().text,
        "Yes."
    );
    assert_eq!(sink.pieces, ["Yes."]);
}

#[tokio::test]
async fn connection_error_after_the_last_frame_is_ignored() {
    let fake = FakeGemini::start().await;
    fake.enqueue(Scripted::reply("Yes.").then_cut())
        .enqueue(Scripted::reply("No.").then_hang());
    let client = client(&fake);
    for text in ["Yes.", "No."] {
        let reply = stream(&client, &mut Sink::default()).await.unwrap();
        assert_eq!((reply.text, reply.usage.attempts), (text.to_owned(), 1));
    }
}
