//! Reads what a Firestore database held, from whichever form it was kept in.
//!
//! | source | reader |
//! | --- | --- |
//! | managed export, a folder | [`ManagedExport`] |
//! | JSON or NDJSON of the usual npm tools, a file | [`JsonExport`] |
//! | the database itself, over its REST API | [`LiveFirestore`] |
//!
//! Each gives the same [`Document`]s, one at a time, with the [`SourceLocation`](crate::import::source_location::SourceLocation) where
//! they were found. What cannot be read is a [`SourceError`](crate::import::source_location::SourceError) in the same order, and
//! the reader goes on with whatever follows that can be trusted. No message
//! holds a value of a document.

mod document;
mod export;
mod json;
mod live;
mod value;

pub use document::{Document, Fields, PlacedDocument};
pub use export::entity::decode_entity;
pub use export::error::EntityError;
pub use export::log::{LogError, LogRecord, MAX_RECORD_BYTES, decode_log};
pub use export::{ManagedExport, PartCounts};
pub use json::{JsonError, JsonExport, JsonFormat, decode_json};
pub use live::typed::{TypedDocumentError, decode_typed_document};
pub use live::{LiveFirestore, LiveTarget};
pub use value::{GeoPoint, MAX_DEPTH, Value};
