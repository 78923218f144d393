use std::borrow::Cow;

/// Rejection of a value that a client sent.
///
/// The message states the rule and never repeats the value, so it may be returned and
/// logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValidationError(Cow<'static, str>);

impl ValidationError {
    /// Creates an error from a clause such as "must be a JSON number".
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}
