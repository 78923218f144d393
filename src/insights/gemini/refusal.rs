//! What Google's errors say: what is wrong, and how long to wait.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

use super::failure::{GeminiError, GeminiErrorKind};
use super::reasons::printable;
use super::wire::{ApiError, Detail, Frame};

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
