//! Prompt, and the request and response formats of `generateContent` and
//! `streamGenerateContent`.

use serde::Deserialize;
use serde_json::{Value, json};

/// Content of a request to Gemini.
#[derive(Clone)]
pub struct Prompt {
    /// Instruction that takes precedence over the turns.
    pub system_instruction: String,
    /// Conversation so far; the last turn is the user's.
    pub turns: Vec<Turn>,
    /// Schema of the reply, in the subset of OpenAPI that Gemini accepts:
    /// neither `additionalProperties` nor lists of types.
    pub response_schema: Value,
}

/// One message of a conversation.
#[derive(Clone)]
pub struct Turn {
    /// Author of the message.
    pub role: Role,
    /// Text of the message.
    pub text: String,
}

/// Author of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Model,
}

/// Token limit of a reply. A reply has a few hundred tokens; the rest is room
/// for thoughts, which count as well.
const MAX_OUTPUT_TOKENS: u32 = 8_192;

/// Returns the body of a request, the same for every model and method.
///
/// It offers no tools and sets no sampling parameters such as temperature,
/// which should stay at their defaults for Gemini 3.
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

/// Body of a whole response, or one event of a stream.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ResponseFrame {
    /// Error in a list, the form that Google sends where a list was due.
    Errors([ErrorEnvelope; 1]),
    Error(ErrorEnvelope),
    Response(GenerateContentResponse),
}

/// Response, or a piece of one. Every field may be absent.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerateContentResponse {
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) prompt_feedback: Option<PromptFeedback>,
    pub(super) usage_metadata: Option<UsageMetadata>,
    pub(super) model_version: Option<String>,
    pub(super) response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Candidate {
    pub(super) content: Option<CandidateContent>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct CandidateContent {
    pub(super) parts: Option<Vec<ContentPart>>,
}

#[derive(Deserialize)]
pub(super) struct ContentPart {
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
    pub(super) error: GoogleError,
}

/// Error as defined by <https://cloud.google.com/apis/design/errors>.
#[derive(Default, Deserialize)]
pub(super) struct GoogleError {
    /// HTTP status.
    pub(super) code: Option<u16>,
    pub(super) message: Option<String>,
    /// Name of the gRPC status, such as `INVALID_ARGUMENT`.
    pub(super) status: Option<String>,
    pub(super) details: Option<Vec<ErrorDetail>>,
}

/// Union of the fields of `RetryInfo`, `QuotaFailure` and `ErrorInfo`, whose
/// names do not overlap.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorDetail {
    pub(super) retry_delay: Option<String>,
    pub(super) violations: Option<Vec<QuotaViolation>>,
    pub(super) reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QuotaViolation {
    pub(super) quota_id: Option<String>,
}
