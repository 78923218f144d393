use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Position of a record or an error in a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceLocation {
    /// The file; for a database, the name of the document or table.
    pub file: Arc<str>,
    /// Offset in the file in bytes; 0 for a database.
    pub offset: u64,
}

impl SourceLocation {
    /// Returns a location in a file.
    pub fn new(file: impl Into<Arc<str>>, offset: u64) -> Self {
        let file = file.into();
        Self { file, offset }
    }

    /// Returns the beginning of a file.
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

/// Replaces the control characters of a name, so that a source cannot send
/// escape sequences to a terminal.
pub(super) fn printable(name: &str) -> Cow<'_, str> {
    match name.contains(char::is_control) {
        true => name.replace(char::is_control, "\u{fffd}").into(),
        false => name.into(),
    }
}

/// Part of a source that cannot be read.
///
/// It contains no data of the source, so that it may be logged.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{location}: {problem}")]
pub struct SourceError {
    /// Position of the unreadable part.
    pub location: SourceLocation,
    /// The cause, what is lost by it, and the remedy.
    pub problem: Cow<'static, str>,
}

impl SourceError {
    /// Returns an error at `location`.
    pub fn new(location: SourceLocation, problem: impl Into<Cow<'static, str>>) -> Self {
        let problem = problem.into();
        Self { location, problem }
    }

    /// Returns an error of the operating system as a source error.
    pub fn unreadable(location: SourceLocation, error: &io::Error) -> Self {
        Self::new(location, format!("cannot be read: {error}"))
    }
}
