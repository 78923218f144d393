use super::wire::WireError;
use crate::import::sources::firestore::value::MAX_DEPTH;

/// Why bytes are not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntityError {
    /// The bytes are no message.
    #[error("the record is not whole: {0}")]
    Wire(#[from] WireError),
    /// A name or a string is not UTF-8.
    #[error("a name or a string of the record is not UTF-8")]
    Text,
    /// There is no key, or one that names no document.
    #[error("the record's key names no document")]
    Key,
    /// A field has no name.
    #[error("a field of the record has no name")]
    Unnamed,
    /// A field is there twice but is no array.
    #[error("a field of the record is there twice and is no array")]
    Twice,
    /// A value is not of the type that its field says.
    #[error("a value of the record is not of the type it says it is")]
    Type,
    /// A timestamp that Firestore cannot have.
    #[error("a timestamp of the record is outside the years -9999 to 9999")]
    Timestamp,
    /// Maps lie deeper than [`MAX_DEPTH`].
    #[error("maps of the record lie more than {MAX_DEPTH} deep")]
    Depth,
}
