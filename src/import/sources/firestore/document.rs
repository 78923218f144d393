//! A document of any source.

use std::collections::BTreeMap;

use super::value::Value;
use crate::import::source_location::SourceLocation;

/// The fields of a document, or of a map in it, by name.
pub type Fields = BTreeMap<String, Value>;

/// A document of a Firestore database.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Collections and ids in turn, below the database: `users/u1/sleep/s1`.
    pub path: String,
    /// Its fields by name.
    pub fields: Fields,
}

impl Document {
    /// The id of the collection it is in: `sleep` for `users/u1/sleep/s1`.
    pub fn collection(&self) -> &str {
        let mut segments = self.path.rsplit('/');
        segments.next();
        segments.next().unwrap_or_default()
    }

    /// Its id in the collection: `s1` for `users/u1/sleep/s1`.
    pub fn id(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// A document and where it was found.
pub type PlacedDocument = (SourceLocation, Document);
