//! Readers of Firestore data.
//!
//! | source | reader |
//! | --- | --- |
//! | managed export, a folder | [`ManagedExport`] |
//! | JSON or NDJSON of a common npm tool, a file | [`JsonExport`] |
//! | the database itself, over its REST API | [`LiveFirestore`] |
//!
//! Each yields [`Document`]s, one at a time, with their
//! [`SourceLocation`](crate::import::SourceLocation). Unreadable data becomes a
//! [`SourceError`](crate::import::SourceError) in the same order, and the reader
//! continues with the next data that can be trusted. No message contains a value
//! of a document.

mod document;
mod export;
mod json;
mod live;
mod value;

pub use document::{Document, Fields, LocatedDocument};
pub use export::entity::decode_entity;
pub use export::error::EntityError;
pub use export::log::{LogError, LogRecord, MAX_RECORD_BYTES, decode_log};
pub use export::{ManagedExport, PartCounts};
pub use json::{JsonError, JsonExport, JsonFormat, decode_json};
pub use live::typed::{TypedDocumentError, decode_typed_document};
pub use live::{LiveFirestore, LiveTarget};
pub use value::{GeoPoint, MAX_DEPTH, Value};
