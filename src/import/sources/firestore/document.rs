//! Documents, independent of their source.

use std::collections::BTreeMap;

use super::value::Value;
use crate::import::source_location::SourceLocation;

/// Fields of a document, or of a map in it, by name.
pub type Fields = BTreeMap<String, Value>;

/// A document of a Firestore database.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Alternating collections and ids, relative to the database:
    /// `users/u1/sleep/s1`.
    pub path: String,
    /// Its fields by name.
    pub fields: Fields,
}

impl Document {
    /// Returns the id of its collection: `sleep` for `users/u1/sleep/s1`.
    pub fn collection(&self) -> &str {
        let mut segments = self.path.rsplit('/');
        segments.next();
        segments.next().unwrap_or_default()
    }

    /// Returns its id in the collection: `s1` for `users/u1/sleep/s1`.
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Document with its position in the source.
pub type LocatedDocument = (SourceLocation, Document);
