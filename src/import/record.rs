use std::borrow::Cow;

use super::source_location::{SourceError, SourceLocation};
use crate::domain::{Reading, ValidationError};

/// Item of a source.
pub type ReadResult = Result<SourceRecord, SourceError>;

/// Records of a source, in its order.
pub type Records = Box<dyn Iterator<Item = ReadResult> + Send>;

/// One entry of a source: a line, a row, a document or an element.
#[derive(Debug)]
pub struct SourceRecord {
    /// Its position in the source.
    pub location: SourceLocation,
    /// Its name in the source, such as the path of a document.
    pub name: Option<Box<str>>,
    /// Its readings, or its kind.
    pub content: RecordContent,
}

/// Content of a record.
#[derive(Debug)]
pub enum RecordContent {
    /// Readings and the rejections of invalid ones; at least one.
    Readings(Vec<Result<Reading, Rejection>>),
    /// No readings, such as a document of another collection, with a name for
    /// its kind.
    Other(Cow<'static, str>),
}

impl SourceRecord {
    /// Returns a record without a valid reading.
    pub fn rejected(location: SourceLocation, rejection: Rejection) -> Self {
        Self {
            location,
            name: None,
            content: RecordContent::Readings(vec![Err(rejection)]),
        }
    }

    /// Returns its share of a batch: the number of readings, and the bytes of
    /// their metadata.
    pub(super) fn weight(&self) -> (usize, usize) {
        match &self.content {
            RecordContent::Other(_) => (0, 0),
            RecordContent::Readings(parts) => {
                let metadata = parts
                    .iter()
                    .flatten()
                    .map(|reading| reading.measurement.metadata.as_str().len());
                (parts.len(), metadata.sum())
            }
        }
    }
}

/// Validation error of part of a record.
///
/// It names the invalid part and the rule, but contains no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part} {reason}")]
pub struct Rejection {
    part: Cow<'static, str>,
    reason: ValidationError,
}

impl Rejection {
    /// Returns a rejection of `part`, such as the name of a member, for a reason
    /// such as "is missing".
    pub fn new(part: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::from_validation(part, ValidationError::new(reason))
    }

    /// Returns a rejection of `part` that failed its validation.
    pub fn from_validation(part: impl Into<Cow<'static, str>>, reason: ValidationError) -> Self {
        let part = part.into();
        Self { part, reason }
    }
}
