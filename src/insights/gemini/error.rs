use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, iter};

/// Why there is no answer.
///
/// Its texts and causes hold neither the key nor a URL, and nothing of the
/// question or the answer, so that they may be logged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}")]
pub struct GeminiError {
    /// What went wrong, the last time if it did several times.
    pub kind: GeminiErrorKind,
    /// Requests sent.
    pub attempts: u32,
    /// How long Gemini asks to be left alone.
    pub(super) asked_wait: Option<Duration>,
    #[source]
    cause: Option<Arc<reqwest::Error>>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeminiErrorKind {
    /// Gemini does not take the question.
    #[error("Gemini blocked the question ({0})")]
    Blocked(BlockReason),
    /// It ended its answer for another reason than that it was done.
    #[error("Gemini broke its answer off ({0})")]
    Finished(FinishReason),
    /// It was done without having said anything.
    #[error("Gemini's answer is empty")]
    Empty,
    /// The answer stopped before it was done.
    #[error("Gemini's answer stopped before its end")]
    BrokenStream,
    /// An error where the answer should have been, after a status of success.
    #[error("Gemini sent an error in place of an answer{}", in_brackets(*.status))]
    ErrorFrame {
        /// The HTTP status that it stands for, if it says so.
        status: Option<u16>,
    },
    /// Somebody who runs the service has to mend something.
    #[error("Gemini refused the request ({status}{}): {}", after_space(.code.as_deref()), advice(*.status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Google's name of the reason, such as `API_KEY_INVALID`.
        code: Option<String>,
    },
    /// Too many requests at the moment.
    #[error("Gemini's rate limit is reached: wait, or ask Google for a higher one")]
    RateLimited,
    /// Too many requests today.
    #[error("Gemini's quota of this day is used up: wait, or ask Google for a higher one")]
    QuotaExhausted,
    /// Gemini is not well.
    #[error("Gemini is not available ({status})")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// Something took too long.
    #[error("Gemini took too long: {0}")]
    Timeout(TimeoutKind),
    /// No connection, or it broke before an answer began.
    #[error("no connection to Gemini: check GEMINI_BASE_URL and the way out of the network")]
    Connect,
    /// The answer is not what the protocol says.
    #[error("Gemini's answer is not understood: check GEMINI_BASE_URL and GEMINI_API_VERSION")]
    NotUnderstood,
    /// The answer is longer than any that was asked for.
    #[error("Gemini's answer is too large")]
    TooLarge,
    /// The model failed repeatedly and is left alone for a while.
    #[error("Gemini failed repeatedly and is left alone for a while")]
    CircuitOpen,
    /// As many calls are under way as there may be.
    #[error("too many questions are with Gemini already")]
    Busy,
}

impl GeminiError {
    pub(super) fn asking_to_wait(kind: GeminiErrorKind, asked_wait: Option<Duration>) -> Self {
        Self {
            asked_wait,
            ..Self::from(kind)
        }
    }

    /// A failure on the wire. Its URL is taken away.
    pub(super) fn caused_by(kind: GeminiErrorKind, cause: reqwest::Error) -> Self {
        Self {
            cause: Some(Arc::new(cause.without_url())),
            ..Self::from(kind)
        }
    }

    /// What lies behind it in the end, such as a refused connection.
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
            asked_wait: None,
            cause: None,
        }
    }
}

impl GeminiErrorKind {
    /// A stable name for logs and metrics.
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
            Self::Refused { .. } => "refused",
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout(TimeoutKind::Connect) => "connect_timeout",
            Self::Timeout(TimeoutKind::FirstByte) => "first_byte_timeout",
            Self::Timeout(TimeoutKind::Idle) => "idle_timeout",
            Self::Timeout(TimeoutKind::Deadline) => "deadline",
            Self::Connect => "connect",
            Self::NotUnderstood => "not_understood",
            Self::TooLarge => "too_large",
            Self::CircuitOpen => "circuit_open",
            Self::Busy => "busy",
        }
    }

    /// The HTTP status that it came as, or stands for.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Unavailable { status } => Some(*status),
            Self::ErrorFrame { status } => *status,
            Self::RateLimited | Self::QuotaExhausted => Some(429),
            _ => None,
        }
    }

    /// Whether the same request may succeed a little later.
    pub(super) fn may_pass(&self) -> bool {
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

    /// Whether another model may answer the same request.
    pub(super) fn another_model_may_answer(&self) -> bool {
        match self {
            Self::RateLimited
            | Self::QuotaExhausted
            | Self::Unavailable { .. }
            | Self::BrokenStream
            | Self::Timeout(TimeoutKind::FirstByte | TimeoutKind::Idle)
            | Self::CircuitOpen => true,
            // The model is gone.
            Self::Refused { status, .. } => *status == 404,
            Self::ErrorFrame { status } => {
                status.is_none_or(|status| status == 404) || self.may_pass()
            }
            _ => false,
        }
    }

    /// What it says about how the model is: well, not well, or nothing.
    pub(super) fn model_is_well(&self) -> Option<bool> {
        match self {
            Self::Blocked(_) | Self::Finished(_) | Self::Empty => Some(true),
            // A deadline may have left too little time for any answer, so it
            // is not among these.
            Self::Connect
            | Self::BrokenStream
            | Self::RateLimited
            | Self::QuotaExhausted
            | Self::Unavailable { .. }
            | Self::Timeout(TimeoutKind::Connect | TimeoutKind::FirstByte | TimeoutKind::Idle) => {
                Some(false)
            }
            Self::ErrorFrame { .. } if self.may_pass() => Some(false),
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

/// What to mend.
fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "check GEMINI_API_KEY and what it may do",
        404 => "check GEMINI_MODEL and GEMINI_API_VERSION, the model may be shut down",
        300..=399 => "check GEMINI_BASE_URL, it leads elsewhere",
        _ => "check GEMINI_API_KEY and GEMINI_MODEL",
    }
}

/// Why Gemini does not take a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockReason {
    /// For safety.
    Safety,
    /// It holds a term from a list.
    Blocklist,
    /// Its content is prohibited.
    ProhibitedContent,
    /// Another reason, by Google's name.
    Other(String),
}

/// Why Gemini ended an answer before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// It got too long.
    MaxTokens,
    /// For safety.
    Safety,
    /// It quoted from what it was trained on.
    Recitation,
    /// Its content is prohibited.
    ProhibitedContent,
    /// Another reason, by Google's name.
    Other(String),
}

/// What took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutKind {
    /// To open a connection.
    Connect,
    /// To begin an answer.
    FirstByte,
    /// To go on with an answer.
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

/// A name of Google's, which is printed, if it is one: nothing else that came
/// over the wire may get into a log in its place.
pub(super) fn printable(name: &str) -> String {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 64 && name.bytes().all(fits) {
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
            Self::Connect => "to open a connection",
            Self::FirstByte => "to begin its answer",
            Self::Idle => "to go on with its answer",
            Self::Deadline => "for the deadline of the question",
        })
    }
}
