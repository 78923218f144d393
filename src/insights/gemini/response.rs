//! Puts a reply together from its pieces, and reads Google's errors.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::error::{BlockReason, FinishReason, GeminiError, GeminiErrorKind, printable};
use super::wire::{Answer, ApiError, Detail, Frame, UsageMetadata};

/// How Gemini says that it was done.
const DONE: &str = "STOP";

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Transcript {
    text: String,
    version: Option<String>,
    response_id: Option<String>,
    usage: Usage,
    is_done: bool,
}

/// A reply that came to its end.
pub(super) struct Finished {
    pub(super) text: String,
    pub(super) version: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) finish_reason: String,
    pub(super) usage: Usage,
}

impl Transcript {
    /// Takes the next piece, a JSON text, and gives the answer's text in it.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<&str, GeminiError> {
        match serde_json::from_slice(piece) {
            Ok(Frame::Answer(answer)) => Ok(self.take_answer(answer)?),
            Ok(Frame::Error(envelope) | Frame::Errors([envelope])) => {
                Err(of_frame(&envelope.error))
            }
            Err(_) => Err(GeminiErrorKind::NotUnderstood.into()),
        }
    }

    /// Nothing of a piece is used before what it says of itself was looked at.
    fn take_answer(&mut self, answer: Answer) -> Result<&str, GeminiErrorKind> {
        if let Some(reason) = answer.prompt_feedback.and_then(|it| it.block_reason) {
            return Err(GeminiErrorKind::Blocked(BlockReason::from(&*reason)));
        }
        let candidate = answer.candidates.and_then(|all| all.into_iter().next());
        let (content, finish_reason) =
            candidate.map_or((None, None), |it| (it.content, it.finish_reason));
        match finish_reason.as_deref() {
            None => {}
            Some(DONE) => self.is_done = true,
            Some(reason) => return Err(GeminiErrorKind::Finished(FinishReason::from(reason))),
        }
        if let Some(usage) = answer.usage_metadata {
            self.usage = counted(&usage);
        }
        self.version = answer.model_version.or(self.version.take());
        self.response_id = answer.response_id.or(self.response_id.take());
        let before = self.text.len();
        for part in content.and_then(|it| it.parts).into_iter().flatten() {
            if part.thought != Some(true) {
                self.text.extend(part.text);
            }
        }
        Ok(&self.text[before..])
    }

    /// Whether Gemini has said that it was done.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The reply, after which nothing more comes.
    pub(super) fn finish(self) -> Result<Finished, GeminiErrorKind> {
        if !self.is_done {
            return Err(GeminiErrorKind::BrokenStream);
        }
        if self.text.trim().is_empty() {
            return Err(GeminiErrorKind::Empty);
        }
        Ok(Finished {
            text: self.text,
            version: self.version,
            response_id: self.response_id,
            finish_reason: DONE.to_owned(),
            usage: self.usage,
        })
    }
}

/// Each piece of a stream counts what came so far.
fn counted(usage: &UsageMetadata) -> Usage {
    Usage {
        prompt_tokens: usage.prompt_token_count,
        output_tokens: usage.candidates_token_count,
        thought_tokens: usage.thoughts_token_count,
        cached_tokens: usage.cached_content_token_count,
        ..Usage::default()
    }
}

/// A whole answer that Gemini ended by itself.
///
/// It has no `Debug`, so that its text gets into no log.
#[derive(Clone)]
pub struct Reply {
    /// The answer, without the model's thoughts; never empty.
    pub text: String,
    /// The model that was asked.
    pub model: String,
    /// The version that Gemini says answered.
    pub version: Option<String>,
    /// What Gemini calls this answer.
    pub response_id: Option<String>,
    /// Why it ended: `STOP`.
    pub finish_reason: String,
    /// What it took.
    pub usage: Usage,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the question, cached ones included.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer, thoughts not included.
    pub output_tokens: Option<u64>,
    /// Tokens of the thoughts.
    pub thought_tokens: Option<u64>,
    /// Tokens of the question that Gemini had in a cache.
    pub cached_tokens: Option<u64>,
    /// Requests sent, the successful one included.
    pub attempts: u32,
    /// From the call to the end of the answer, waits included.
    pub latency: Duration,
}

/// Takes the text of an answer while it comes.
pub trait TextSink: Send {
    /// A new attempt begins: what came of an earlier one is void.
    fn start_attempt(&mut self);
    /// The next piece of the answer.
    fn push(&mut self, piece: &str);
    /// Whether something has gone to the asker: then no other attempt may
    /// start.
    fn is_committed(&self) -> bool;
}

/// What a response other than a success means.
pub(super) fn of_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> GeminiError {
    let error = match serde_json::from_slice(body) {
        Ok(Frame::Error(envelope) | Frame::Errors([envelope])) => envelope.error,
        Ok(Frame::Answer(_)) | Err(_) => ApiError::default(),
    };
    let kind = match status.as_u16() {
        429 if is_daily(&error) => GeminiErrorKind::QuotaExhausted,
        429 => GeminiErrorKind::RateLimited,
        status @ (408 | 500..) => GeminiErrorKind::Unavailable { status },
        status => GeminiErrorKind::Refused {
            status,
            code: reason(&error).map(printable),
        },
    };
    GeminiError::asking_to_wait(kind, retry_after(headers).max(asked_wait(&error)))
}

/// What an error in place of an answer means.
pub(super) fn of_frame(error: &ApiError) -> GeminiError {
    let kind = if error.code == Some(429) && is_daily(error) {
        GeminiErrorKind::QuotaExhausted
    } else {
        GeminiErrorKind::ErrorFrame { status: error.code }
    };
    GeminiError::asking_to_wait(kind, asked_wait(error))
}

/// Whether the quota of a day is used up, for which no wait within a deadline
/// helps: its id reads like `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
fn is_daily(error: &ApiError) -> bool {
    details(error)
        .filter_map(|detail| detail.violations.as_ref())
        .flatten()
        .filter_map(|violation| violation.quota_id.as_ref())
        .any(|quota| quota.contains("PerDay"))
}

/// The most precise name of what is wrong.
fn reason(error: &ApiError) -> Option<&str> {
    details(error)
        .find_map(|detail| detail.reason.as_deref())
        .or(error.status.as_deref())
}

/// How long the error asks to wait, by `RetryInfo` or in its words.
fn asked_wait(error: &ApiError) -> Option<Duration> {
    let by_detail = details(error)
        .filter_map(|detail| detail.retry_delay.as_deref())
        .filter_map(duration)
        .max();
    let in_words = error
        .message
        .as_deref()
        .and_then(|message| message.split_once("Please retry in "))
        .and_then(|(_, rest)| rest.split_whitespace().next())
        .and_then(|words| duration(words.trim_end_matches(['.', ','])));
    by_detail.max(in_words)
}

fn details(error: &ApiError) -> impl Iterator<Item = &Detail> {
    error.details.iter().flatten()
}

/// A duration such as `3.5s`, `250ms` or `1h2m3.5s`.
fn duration(text: &str) -> Option<Duration> {
    text.parse::<SignedDuration>().ok()?.try_into().ok()
}

/// How long `Retry-After` asks to wait. It may be a date, which the `Date` of
/// the same response is taken from: no clock of ours is needed, or can be off.
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
