//! What goes over the wire and what comes back.

use serde::Deserialize;
use serde_json::{Value, json};

/// Enough that thinking cannot eat the answer, which has a few hundred.
const MAX_OUTPUT_TOKENS: u32 = 8_192;

/// The body of a request, the same for each model and method.
///
/// It sets no temperature and the like, which Gemini 3 should be left to
/// choose, and offers no tools.
pub(super) fn request_body(prompt: &Prompt) -> String {
    let contents: Vec<Value> = prompt
        .turns
        .iter()
        .map(|turn| {
            let role = match turn.role {
                Role::User => "user",
                Role::Model => "model",
            };
            json!({"role": role, "parts": [{"text": turn.text}]})
        })
        .collect();
    json!({
        "systemInstruction": {"parts": [{"text": prompt.system_instruction}]},
        "contents": contents,
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": prompt.response_schema,
            "thinkingConfig": {"thinkingLevel": "low"},
            "maxOutputTokens": MAX_OUTPUT_TOKENS,
        },
        "store": false,
    })
    .to_string()
}

/// What comes where an answer is due, whole or as one piece of a stream.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Frame {
    /// An error, as Google sends it where a list was due.
    Errors([ErrorEnvelope; 1]),
    Error(ErrorEnvelope),
    Answer(Answer),
}

/// An answer, or a piece of one. Every field may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) prompt_feedback: Option<PromptFeedback>,
    pub(super) usage_metadata: Option<UsageMetadata>,
    pub(super) model_version: Option<String>,
    pub(super) response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    pub(super) content: Option<Content>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Content {
    pub(super) parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
pub(super) struct Part {
    pub(super) text: Option<String>,
    pub(super) thought: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PromptFeedback {
    pub(super) block_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UsageMetadata {
    pub(super) prompt_token_count: Option<u64>,
    pub(super) candidates_token_count: Option<u64>,
    pub(super) thoughts_token_count: Option<u64>,
    pub(super) cached_content_token_count: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) error: ApiError,
}

/// An error: <https://cloud.google.com/apis/design/errors>.
#[derive(Default, Deserialize)]
pub(super) struct ApiError {
    /// The HTTP status.
    pub(super) code: Option<u16>,
    pub(super) message: Option<String>,
    /// Google's name of the status.
    pub(super) status: Option<String>,
    pub(super) details: Option<Vec<Detail>>,
}

/// One of `RetryInfo`, `QuotaFailure` and `ErrorInfo`, or another: their
/// fields have different names.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail {
    pub(super) retry_delay: Option<String>,
    pub(super) violations: Option<Vec<Violation>>,
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Violation {
    pub(super) quota_id: Option<String>,
}

/// What Gemini is asked.
#[derive(Clone)]
pub struct Prompt {
    /// What it is told to do, whatever the turns say.
    pub system_instruction: String,
    /// The conversation so far; the last turn is the user's.
    pub turns: Vec<Turn>,
    /// What its answer looks like, in the subset of OpenAPI that Gemini takes:
    /// no `additionalProperties`, no list of types.
    pub response_schema: Value,
}

/// What one side said.
#[derive(Clone)]
pub struct Turn {
    /// Which side.
    pub role: Role,
    /// What it said.
    pub text: String,
}

/// A side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Whoever asks.
    User,
    /// Gemini.
    Model,
}
