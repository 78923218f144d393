use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, iter};

/// Error of a call, without a reply.
///
/// Its message and causes contain neither the key nor a URL nor any part of the
/// prompt or the reply, so they may be logged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct GeminiError {
    /// Kind of the last attempt's error.
    pub kind: GeminiErrorKind,
    /// Requests sent.
    pub attempts: u32,
    /// Minimum delay before the next request, as asked for by Gemini.
    pub(super) retry_after: Option<Duration>,
    #[source]
    cause: Option<Arc<reqwest::Error>>,
}

/// Kind of an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeminiErrorKind {
    /// Gemini blocked the prompt.
    #[error("Gemini blocked the prompt ({0})")]
    Blocked(BlockReason),
    /// The reply finished for another reason than `STOP`.
    #[error("Gemini ended its reply early ({0})")]
    Finished(FinishReason),
    /// The reply finished without any text.
    #[error("Gemini's reply is empty")]
    Empty,
    /// The response ended before the reply was finished.
    #[error("Gemini's response ended before its reply was finished")]
    BrokenStream,
    /// An error in the body of a response with a success status.
    #[error("Gemini sent an error in place of a reply{}", in_brackets(*.status))]
    ErrorFrame {
        /// HTTP status in the error, if it has one.
        status: Option<u16>,
    },
    /// A rejection that the service's operator has to act on.
    #[error("Gemini rejected the request ({status}{}): {}", after_space(.code.as_deref()), remedy(*.status))]
    Rejected {
        /// HTTP status.
        status: u16,
        /// Reason assigned by Google, such as `API_KEY_INVALID`.
        code: Option<String>,
    },
    /// The rate limit is exceeded.
    #[error("Gemini's rate limit is exceeded: wait, or ask Google for a higher limit")]
    RateLimited,
    /// The daily quota is exhausted.
    #[error("Gemini's daily quota is exhausted: wait, or ask Google for a higher quota")]
    QuotaExhausted,
    /// Server error or overload.
    #[error("Gemini is not available ({status})")]
    Unavailable {
        /// HTTP status.
        status: u16,
    },
    /// A step or the whole call timed out.
    #[error("timeout {0}")]
    Timeout(TimeoutKind),
    /// No connection, or it broke before the response started.
    #[error("no connection to Gemini: check GEMINI_BASE_URL and outbound network access")]
    Connect,
    /// The response does not follow the protocol.
    #[error("Gemini's response is malformed: check GEMINI_BASE_URL and GEMINI_API_VERSION")]
    Malformed,
    /// The response exceeds the size limit.
    #[error("Gemini's response is too large")]
    TooLarge,
    /// The circuit breaker is open after repeated failures.
    #[error("Gemini failed repeatedly; its circuit breaker is open")]
    CircuitOpen,
    /// No call slot became free in time.
    #[error("too many concurrent calls to Gemini")]
    Busy,
}

impl GeminiError {
    pub(super) fn with_retry_after(kind: GeminiErrorKind, retry_after: Option<Duration>) -> Self {
        Self {
            retry_after,
            ..Self::from(kind)
        }
    }

    /// Wraps a transport error, from which the URL is removed.
    pub(super) fn caused_by(kind: GeminiErrorKind, cause: reqwest::Error) -> Self {
        Self {
            cause: Some(Arc::new(cause.without_url())),
            ..Self::from(kind)
        }
    }

    /// Returns the innermost cause, such as a refused connection.
    pub(super) fn root_cause(&self) -> Option<String> {
        iter::successors(self.source(), |&error| error.source())
            .last()
            .map(ToString::to_string)
    }
}

impl From<GeminiErrorKind> for GeminiError {
    fn from(kind: GeminiErrorKind) -> Self {
        Self {
            kind,
            attempts: 0,
            retry_after: None,
            cause: None,
        }
    }
}

impl GeminiErrorKind {
    /// Returns a stable name for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Blocked(_) => "blocked",
            Self::Finished(FinishReason::MaxTokens) => "max_tokens",
            Self::Finished(FinishReason::Safety) => "safety",
            Self::Finished(FinishReason::Recitation) => "recitation",
            Self::Finished(FinishReason::ProhibitedContent) => "prohibited_content",
            Self::Finished(FinishReason::Other(_)) => "finished_otherwise",
            Self::Empty => "empty",
            Self::BrokenStream => "broken_stream",
            Self::ErrorFrame { .. } => "error_frame",
            Self::Rejected { .. } => "refused",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout(TimeoutKind::Connect) => "connect_timeout",
            Self::Timeout(TimeoutKind::FirstByte) => "first_byte_timeout",
            Self::Timeout(TimeoutKind::Idle) => "idle_timeout",
            Self::Timeout(TimeoutKind::Deadline) => "deadline",
            Self::Connect => "connect",
            Self::Malformed => "not_understood",
            Self::TooLarge => "too_large",
            Self::CircuitOpen => "circuit_open",
            Self::Busy => "busy",
        }
    }

    /// Returns the HTTP status of the response or in its error.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Rejected { status, .. } | Self::Unavailable { status } => Some(*status),
            Self::ErrorFrame { status } => *status,
            Self::RateLimited | Self::QuotaExhausted => Some(429),
            _ => None,
        }
    }

    /// Returns true if the same request may succeed a little later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Connect | Self::BrokenStream | Self::RateLimited => true,
            Self::Timeout(kind) => *kind != TimeoutKind::Deadline,
            Self::Unavailable { status }
            | Self::ErrorFrame {
                status: Some(status),
            } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Returns true if another model may succeed with the same request.
    pub(super) fn should_fall_back(&self) -> bool {
        match self {
            Self::RateLimited
            | Self::QuotaExhausted
            | Self::Unavailable { .. }
            | Self::BrokenStream
            | Self::Timeout(TimeoutKind::FirstByte | TimeoutKind::Idle)
            | Self::CircuitOpen => true,
            // The model was shut down.
            Self::Rejected { status, .. } => *status == 404,
            Self::ErrorFrame { status } => {
                status.is_none_or(|status| status == 404) || self.is_transient()
            }
            _ => false,
        }
    }

    /// Returns the health of the model that the error implies, if it implies
    /// any.
    pub(super) fn counts_as_healthy(&self) -> Option<bool> {
        match self {
            Self::Blocked(_) | Self::Finished(_) | Self::Empty => Some(true),
            // A deadline is not among these: it may have left too little time
            // for any reply.
            Self::Connect
            | Self::BrokenStream
            | Self::RateLimited
            | Self::QuotaExhausted
            | Self::Unavailable { .. }
            | Self::Timeout(TimeoutKind::Connect | TimeoutKind::FirstByte | TimeoutKind::Idle) => {
                Some(false)
            }
            Self::ErrorFrame { .. } if self.is_transient() => Some(false),
            _ => None,
        }
    }
}

fn in_brackets(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" ({status})"))
}

fn after_space(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" {code}"))
}

fn remedy(status: u16) -> &'static str {
    match status {
        401 | 403 => "check GEMINI_API_KEY and its permissions",
        404 => "check GEMINI_MODEL and GEMINI_API_VERSION; the model may be shut down",
        300..=399 => "check GEMINI_BASE_URL; it redirects elsewhere",
        _ => "check GEMINI_API_KEY and GEMINI_MODEL",
    }
}

/// Reason for blocking a prompt. Google may add reasons at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockReason {
    /// Safety settings.
    Safety,
    /// A term of a terminology blocklist.
    Blocklist,
    /// Prohibited content.
    ProhibitedContent,
    /// Any other reason, by Google's name.
    Other(String),
}

/// Reason for ending a reply early. Google may add reasons at any time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// The token limit was reached.
    MaxTokens,
    /// Safety settings.
    Safety,
    /// The reply recited training data.
    Recitation,
    /// Prohibited content.
    ProhibitedContent,
    /// Any other reason, by Google's name.
    Other(String),
}

/// Step that timed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutKind {
    /// Opening a connection.
    Connect,
    /// Waiting for the response to start.
    FirstByte,
    /// Waiting for the next part of the response.
    Idle,
    /// The call as a whole.
    Deadline,
}

impl From<&str> for BlockReason {
    fn from(name: &str) -> Self {
        match name {
            "SAFETY" => Self::Safety,
            "BLOCKLIST" => Self::Blocklist,
            "PROHIBITED_CONTENT" => Self::ProhibitedContent,
            other => Self::Other(printable(other)),
        }
    }
}

impl From<&str> for FinishReason {
    fn from(name: &str) -> Self {
        match name {
            "MAX_TOKENS" => Self::MaxTokens,
            "SAFETY" => Self::Safety,
            "RECITATION" => Self::Recitation,
            "PROHIBITED_CONTENT" => Self::ProhibitedContent,
            other => Self::Other(printable(other)),
        }
    }
}

/// Returns `name` if it looks like a constant of Google's API, else
/// `UNREADABLE`, so that no other received text reaches a log.
pub(super) fn printable(name: &str) -> String {
    let is_allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 64 && name.bytes().all(is_allowed) {
        name.to_owned()
    } else {
        "UNREADABLE".to_owned()
    }
}

impl fmt::Display for BlockReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Safety => "SAFETY",
            Self::Blocklist => "BLOCKLIST",
            Self::ProhibitedContent => "PROHIBITED_CONTENT",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::MaxTokens => "MAX_TOKENS",
            Self::Safety => "SAFETY",
            Self::Recitation => "RECITATION",
            Self::ProhibitedContent => "PROHIBITED_CONTENT",
            Self::Other(name) => name,
        })
    }
}

impl fmt::Display for TimeoutKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => "opening a connection to Gemini",
            Self::FirstByte => "waiting for Gemini's response to start",
            Self::Idle => "waiting for the rest of Gemini's response",
            Self::Deadline => "waiting for Gemini until the call's deadline",
        })
    }
}
