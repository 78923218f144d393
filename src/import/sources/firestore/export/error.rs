use super::wire::WireError;
use crate::import::sources::firestore::value::MAX_DEPTH;

/// Error of decoding a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntityError {
    /// The bytes are not a valid message.
    #[error("the record is not a valid message: {0}")]
    Wire(#[from] WireError),
    /// A name or string is not UTF-8.
    #[error("a name or string in the record is not UTF-8")]
    Text,
    /// The key is missing or names no document.
    #[error("the record's key names no document")]
    Key,
    /// A field has no name.
    #[error("a field in the record has no name")]
    Unnamed,
    /// A field other than an array appears twice.
    #[error("a field appears twice in the record and is not an array")]
    Repeated,
    /// A value does not match its declared type.
    #[error("a value in the record does not match its declared type")]
    Type,
    /// A timestamp is outside the range of Firestore.
    #[error("a timestamp in the record is outside the years -9999 to 9999")]
    Timestamp,
    /// Maps nest deeper than [`MAX_DEPTH`].
    #[error("maps in the record nest more than {MAX_DEPTH} levels deep")]
    Depth,
}
