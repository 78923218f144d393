//! Import of readings from files, databases and tables.
//!
//! # Path of a record
//!
//! A [`Source`] yields [`SourceRecord`]s one after another: a line, a row, a document
//! or an element, with its [`SourceLocation`] and either its readings or the
//! reason why it has none. A [`BatchReceiver`] delivers them in batches, of
//! which only a few exist at a time, so that memory does not grow with the
//! source. [`run`] stores each batch and records the outcome of every record in
//! the [`ImportSummary`], in the [`Report`] and, periodically, in a
//! [`Checkpoint`]. [`verify`] reads the source once more and compares it with
//! the store.
//!
//! The id of a reading is derived from its content, so an import is idempotent.
//!
//! # Modules
//!
//! | module | content |
//! | --- | --- |
//! | `sources` | one reader for each source: NDJSON, CSV, [`apple_health`], [`firestore`], the legacy table |
//! | `mapping` | conversion of Firestore documents to readings, by [`clarity`]'s own schema or by a [`Mapping`] |
//! | `pipeline` | batches, storing, report, checkpoint, verification; depends on no source |

mod format;
mod limited_reader;
mod mapping;
mod pipeline;
mod raw_reading;
mod record;
mod rounding;
mod source;
mod source_location;
mod sources;

pub use self::format::{Format, FormatDoc, SourceDetectionError, formats};
pub use self::mapping::{Mapping, MappingError, clarity};
pub use self::pipeline::batch_channel::{BatchReceiver, BatchSender, ReceiverDropped, RecordBatch};
pub use self::pipeline::checkpoint::{
    Checkpoint, CheckpointError, CheckpointPosition, FileFingerprint, Job,
};
pub use self::pipeline::outputs::{OutputOverlap, ensure_distinct_paths};
pub use self::pipeline::process::Target;
pub use self::pipeline::progress::ImportProgress;
pub use self::pipeline::report::{Report, ReportError};
pub use self::pipeline::summary::{
    ImportSummary, Outcome, ReadingCounts, ReadingOutcome, RecordOutcome,
};
pub use self::pipeline::verify::{Verification, VerificationCounts, verify};
pub use self::pipeline::{ImportError, ImportOutcome, ImportRun, run};
pub use self::raw_reading::{ImportContext, RawReading};
pub use self::record::{ReadResult, RecordContent, Records, Rejection, SourceRecord};
pub use self::source::{OpenedSource, Source};
pub use self::source_location::{SourceError, SourceLocation};
pub use self::sources::legacy_table::ScanOptions;
pub use self::sources::{apple_health, firestore};
