//! Response bodies, whole or as one event of a stream.

use serde_json::{Value, json};

/// Model version and response id in all responses.
pub const VERSION: &str = "gemini-3.5-flash-lite-001";
pub const RESPONSE_ID: &str = "mAgTaNOlEvK7xN8P";

/// Returns a frame with text that is not the last one.
pub fn text(text: &str) -> Value {
    with_parts(&json!([{"text": text}]), None)
}

/// Returns the last frame, with text and finish reason.
pub fn last(text: &str, finish_reason: &str) -> Value {
    with_parts(&json!([{"text": text}]), Some(finish_reason))
}

/// Returns a frame with a thought, which is not part of the reply.
pub fn thought(text: &str) -> Value {
    with_parts(&json!([{"text": text, "thought": true}]), None)
}

/// Returns a frame with arbitrary parts.
pub fn with_parts(parts: &Value, finish_reason: Option<&str>) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(reason) = finish_reason {
        candidate["finishReason"] = json!(reason);
    }
    with_candidate(&candidate)
}

/// Returns a frame without content, as after filtering.
pub fn without_content(finish_reason: &str) -> Value {
    with_candidate(&json!({"finishReason": finish_reason, "index": 0}))
}

/// Returns the frame of a blocked prompt.
pub fn blocked(reason: &str) -> Value {
    json!({
        "promptFeedback": {"blockReason": reason},
        "usageMetadata": {"promptTokenCount": 312, "totalTokenCount": 312},
        "modelVersion": VERSION,
        "responseId": RESPONSE_ID,
    })
}

fn with_candidate(candidate: &Value) -> Value {
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
