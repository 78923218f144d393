use std::borrow::Cow;

/// Why something a client sent was refused.
///
/// The sentence says what would be right and never repeats what was sent, so
/// it may go into an answer and into a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValidationError(Cow<'static, str>);

impl ValidationError {
    /// A refusal for `reason`, a clause such as "must be a JSON number".
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}
