use std::borrow::Cow;

use super::source_location::{SourceError, SourceLocation};
use crate::domain::{Reading, ValidationError};

/// What a source yields, in its order.
pub type Found = Result<Record, SourceError>;

/// The records of a source, read one after another.
pub type Records = Box<dyn Iterator<Item = Found> + Send>;

/// One entry of a source: a line, a row, a document, an element.
#[derive(Debug)]
pub struct Record {
    /// Where it stands.
    pub place: SourceLocation,
    /// What the source calls it, such as the path of a document.
    pub name: Option<Box<str>>,
    /// What it holds.
    pub content: Content,
}

/// What a record holds.
#[derive(Debug)]
pub enum Content {
    /// Readings, or what should be readings and is not; at least one.
    Readings(Vec<Result<Reading, Rejection>>),
    /// Something else of this kind, such as the documents of a collection that
    /// has no readings.
    Other(Cow<'static, str>),
}

impl Record {
    /// A record that is no reading.
    pub fn rejected(place: SourceLocation, rejection: Rejection) -> Self {
        Self {
            place,
            name: None,
            content: Content::Readings(vec![Err(rejection)]),
        }
    }

    /// How much of a batch it takes: readings, or bytes of their metadata.
    pub(super) fn weight(&self) -> (usize, usize) {
        match &self.content {
            Content::Other(_) => (0, 0),
            Content::Readings(parts) => {
                let metadata = parts
                    .iter()
                    .flatten()
                    .map(|reading| reading.measurement.metadata.as_str().len());
                (parts.len(), metadata.sum())
            }
        }
    }
}

/// Why something is not a reading that the service could take.
///
/// It names what is wrong and what would be right, and repeats no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} {reason}")]
pub struct Rejection {
    part: Cow<'static, str>,
    reason: ValidationError,
}

impl Rejection {
    /// A rejection because of `part`, such as the name of a member.
    pub fn of(part: impl Into<Cow<'static, str>>, reason: ValidationError) -> Self {
        let part = part.into();
        Self { part, reason }
    }

    /// As [`Self::of`], for a reason such as "is missing".
    pub fn because(
        part: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::of(part, ValidationError::new(reason))
    }
}
