//! Google's names of reasons, of which it may have new ones at any time.

use std::fmt;

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
