//! Assembly of replies from their frames, and interpretation of Google's
//! errors.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::error::{BlockReason, FinishReason, GeminiError, GeminiErrorKind, printable};
use super::wire::{
    ErrorDetail, GenerateContentResponse, GoogleError, ResponseFrame, UsageMetadata,
};

/// Complete reply that the model finished by itself.
///
/// It does not implement `Debug`, which keeps its text out of logs.
#[derive(Clone)]
pub struct Reply {
    /// Text without the model's thoughts; never empty.
    pub text: String,
    /// Model that was asked.
    pub model: String,
    /// Model version reported by Gemini.
    pub version: Option<String>,
    /// Response id assigned by Gemini.
    pub response_id: Option<String>,
    /// Finish reason: always `STOP`.
    pub finish_reason: String,
    /// Tokens, attempts and time spent.
    pub usage: Usage,
}

/// Tokens, attempts and time spent on a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens, including cached ones.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the reply, excluding thoughts.
    pub output_tokens: Option<u64>,
    /// Tokens of the model's thoughts.
    pub thought_tokens: Option<u64>,
    /// Prompt tokens served from Gemini's cache.
    pub cached_tokens: Option<u64>,
    /// Requests sent, including the successful one.
    pub attempts: u32,
    /// Time from the call to the end of the reply, including waits.
    pub latency: Duration,
}

/// Receiver of a streamed reply's text.
pub trait TextSink: Send {
    /// Discards the text of earlier attempts: a new one starts.
    fn start_attempt(&mut self);
    /// Accepts the next piece of text.
    fn push(&mut self, piece: &str);
    /// Returns true once text was passed on to the user. No further attempt
    /// may start then.
    fn is_committed(&self) -> bool;
}

/// Finish reason of a complete reply.
const DONE: &str = "STOP";

/// Reply under assembly.
#[derive(Default)]
pub(super) struct Accumulator {
    text: String,
    version: Option<String>,
    response_id: Option<String>,
    usage: Usage,
    is_done: bool,
}

/// Complete reply to one request. The caller adds model, attempts and latency.
pub(super) struct FinishedReply {
    pub(super) text: String,
    pub(super) version: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) finish_reason: String,
    pub(super) usage: Usage,
}

impl Accumulator {
    /// Adds a frame, a JSON text, and returns the text in it.
    pub(super) fn push(&mut self, frame: &[u8]) -> Result<&str, GeminiError> {
        match serde_json::from_slice(frame) {
            Ok(ResponseFrame::Response(response)) => Ok(self.push_response(response)?),
            Ok(ResponseFrame::Error(envelope) | ResponseFrame::Errors([envelope])) => {
                Err(frame_error(&envelope.error))
            }
            Err(_) => Err(GeminiErrorKind::Malformed.into()),
        }
    }

    /// Adds a response. Block and finish reasons are checked before any of its
    /// text is used.
    fn push_response(
        &mut self,
        response: GenerateContentResponse,
    ) -> Result<&str, GeminiErrorKind> {
        if let Some(reason) = response.prompt_feedback.and_then(|it| it.block_reason) {
            return Err(GeminiErrorKind::Blocked(BlockReason::from(&*reason)));
        }
        let candidate = response.candidates.and_then(|all| all.into_iter().next());
        let (content, finish_reason) =
            candidate.map_or((None, None), |it| (it.content, it.finish_reason));
        match finish_reason.as_deref() {
            None => {}
            Some(DONE) => self.is_done = true,
            Some(reason) => return Err(GeminiErrorKind::Finished(FinishReason::from(reason))),
        }
        if let Some(metadata) = response.usage_metadata {
            self.usage = usage_from(&metadata);
        }
        self.version = response.model_version.or(self.version.take());
        self.response_id = response.response_id.or(self.response_id.take());
        let before = self.text.len();
        for part in content.and_then(|it| it.parts).into_iter().flatten() {
            if part.thought != Some(true) {
                self.text.extend(part.text);
            }
        }
        Ok(&self.text[before..])
    }

    /// Returns true once Gemini has reported the end of its reply.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Returns the reply, or an error if it is incomplete or empty.
    pub(super) fn finish(self) -> Result<FinishedReply, GeminiErrorKind> {
        if !self.is_done {
            return Err(GeminiErrorKind::BrokenStream);
        }
        if self.text.trim().is_empty() {
            return Err(GeminiErrorKind::Empty);
        }
        Ok(FinishedReply {
            text: self.text,
            version: self.version,
            response_id: self.response_id,
            finish_reason: DONE.to_owned(),
            usage: self.usage,
        })
    }
}

/// Converts token counts, which are cumulative in the frames of a stream.
fn usage_from(metadata: &UsageMetadata) -> Usage {
    Usage {
        prompt_tokens: metadata.prompt_token_count,
        output_tokens: metadata.candidates_token_count,
        thought_tokens: metadata.thoughts_token_count,
        cached_tokens: metadata.cached_content_token_count,
        ..Usage::default()
    }
}

/// Interprets a response whose status is not a success.
pub(super) fn status_error(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GeminiError {
    let error = match serde_json::from_slice(body) {
        Ok(ResponseFrame::Error(envelope) | ResponseFrame::Errors([envelope])) => envelope.error,
        Ok(ResponseFrame::Response(_)) | Err(_) => GoogleError::default(),
    };
    let kind = match status.as_u16() {
        429 if is_daily_quota(&error) => GeminiErrorKind::QuotaExhausted,
        429 => GeminiErrorKind::RateLimited,
        status @ (408 | 500..) => GeminiErrorKind::Unavailable { status },
        status => GeminiErrorKind::Rejected {
            status,
            code: most_specific_code(&error).map(printable),
        },
    };
    GeminiError::with_retry_after(kind, retry_after(headers).max(retry_delay(&error)))
}

/// Interprets an error frame that was sent with a success status.
fn frame_error(error: &GoogleError) -> GeminiError {
    let kind = if error.code == Some(429) && is_daily_quota(error) {
        GeminiErrorKind::QuotaExhausted
    } else {
        GeminiErrorKind::ErrorFrame { status: error.code }
    };
    GeminiError::with_retry_after(kind, retry_delay(error))
}

/// Returns true if a daily quota is exhausted; waiting until a deadline would not
/// help. Ids of such quotas look like
/// `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
fn is_daily_quota(error: &GoogleError) -> bool {
    details(error)
        .filter_map(|detail| detail.violations.as_ref())
        .flatten()
        .filter_map(|violation| violation.quota_id.as_ref())
        .any(|quota| quota.contains("PerDay"))
}

/// Returns the `ErrorInfo` reason if present, else the status name.
fn most_specific_code(error: &GoogleError) -> Option<&str> {
    details(error)
        .find_map(|detail| detail.reason.as_deref())
        .or(error.status.as_deref())
}

/// Returns the longer of the delays in `RetryInfo` and in the message text.
fn retry_delay(error: &GoogleError) -> Option<Duration> {
    let in_details = details(error)
        .filter_map(|detail| detail.retry_delay.as_deref())
        .filter_map(parse_duration)
        .max();
    let in_message = error
        .message
        .as_deref()
        .and_then(|message| message.split_once("Please retry in "))
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .and_then(|delay| parse_duration(delay.trim_end_matches(['.', ','])));
    in_details.max(in_message)
}

fn details(error: &GoogleError) -> impl Iterator<Item = &ErrorDetail> {
    error.details.iter().flatten()
}

/// Parses a duration such as `3.5s`, `250ms` or `1h2m3.5s`.
fn parse_duration(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok()?.try_into().ok()
}

/// Returns the delay in `Retry-After`, in seconds or as a date (RFC 9110
/// section 10.2.3). A date is compared with the `Date` of the same response, so
/// that skew of the local clock does not matter.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text| rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    date(value)?
        .duration_since(date(text(DATE)?)?)
        .try_into()
        .ok()
}
