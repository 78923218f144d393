//! What Gemini answers, whole or as one piece of a stream.

use serde_json::{Value, json};

/// The version and the id that its answers bear.
pub const VERSION: &str = "gemini-3.5-flash-lite-001";
pub const RESPONSE_ID: &str = "mAgTaNOlEvK7xN8P";

/// Text after which more comes.
pub fn text(text: &str) -> Value {
    of_parts(&json!([{"text": text}]), None)
}

/// Text after which nothing more comes, for this reason.
pub fn last(text: &str, finish_reason: &str) -> Value {
    of_parts(&json!([{"text": text}]), Some(finish_reason))
}

/// A thought, which is no part of the answer.
pub fn thought(text: &str) -> Value {
    of_parts(&json!([{"text": text, "thought": true}]), None)
}

/// A candidate with any parts.
pub fn of_parts(parts: &Value, finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = json!(reason);
    }
    of_candidate(&candidate)
}

/// A candidate without content, as after a filter.
pub fn without_content(finish_reason: &str) -> Value {
    of_candidate(&json!({"finishReason": finish_reason, "index": 0}))
}

/// The question was blocked.
pub fn blocked(reason: &str) -> Value {
    json!({
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 312, "totalTokenCount": 312},
        "modelVersion": VERSION,
        "responseId": RESPONSE_ID,
    })
}

fn of_candidate(candidate: &Value) -> Value {
    json!({
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 312,
            "candidatesTokenCount": 57,
            "thoughtsTokenCount": 120,
            "cachedContentTokenCount": 256,
            "totalTokenCount": 489,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 312}],
        },
        "modelVersion": VERSION,
        "responseId": RESPONSE_ID,
    })
}
