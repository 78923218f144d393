use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Where in a source something was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The file; for a live database, the name of the document or table.
    pub file: Arc<str>,
    /// In bytes from the beginning of the file; 0 for a live database.
    pub offset: u64,
}

impl SourceLocation {
    /// A place in a file.
    pub fn new(file: impl Into<Arc<str>>, offset: u64) -> Self {
        let file = file.into();
        Self { file, offset }
    }

    /// The beginning of a file.
    pub fn start_of(file: &Path) -> Self {
        Self::new(file.to_string_lossy(), 0)
    }
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = printable(&self.file);
        match self.offset {
            0 => write!(formatter, "{file}"),
            offset => write!(formatter, "{file} at byte {offset}"),
        }
    }
}

/// A name that a source has, without what a terminal would obey.
pub(super) fn printable(name: &str) -> Cow<'_, str> {
    match name.contains(char::is_control) {
        true => name.replace(char::is_control, "\u{fffd}").into(),
        false => name.into(),
    }
}

/// Something in a source that cannot be read.
///
/// It holds nothing that the source holds, so that it may be logged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SourceError {
    /// Where it is.
    pub place: SourceLocation,
    /// What is wrong there, what it costs, and what to do about it.
    pub problem: Cow<'static, str>,
}

impl SourceError {
    /// SourceError at `place`.
    pub fn new(place: SourceLocation, problem: impl Into<Cow<'static, str>>) -> Self {
        let problem = problem.into();
        Self { place, problem }
    }

    /// A file that the operating system does not give.
    pub fn unreadable(place: SourceLocation, error: &io::Error) -> Self {
        Self::new(place, format!("cannot be read: {error}"))
    }
}
