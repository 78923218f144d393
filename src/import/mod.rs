//! Moving in: readings from elsewhere, in files, databases and tables.
//!
//! # The way of a record
//!
//! A [`Source`] yields [`Record`]s one after another: a line, a row, a document,
//! an element, with the [`SourceLocation`] where it stands and the readings that it
//! holds, or why it holds none. A [`BatchReceiver`] packs them into batches, at most a
//! few of which exist at a time, so that memory does not grow with the source.
//! [`run`] puts each batch into the store and notes what became of every record
//! in the [`ImportSummary`], in the [`Report`] and, from time to time, in a
//! [`Checkpoint`]. [`verify`] reads the source once more and compares it with
//! what the store holds.
//!
//! The ids of readings follow from what they say, so that an import can be
//! repeated at any time and changes nothing the second time.
//!
//! # Sources
//!
//! | source | reader | what its records are |
//! | --- | --- | --- |
//! | NDJSON and CSV, such as an export of the service | [`readings`] | readings |
//! | Firestore: managed export, JSON of tools, live | [`firestore`] | documents, which [`clarity`] or a [`Mapping`] turns into readings |
//! | Apple Health | [`apple_health`] | elements |
//! | the table of the Python service | [`rows`] | rows |

mod limited_reader;
mod mapping;
mod pipeline;
mod raw_reading;
mod record;
mod rounding;
mod source;
mod source_location;
mod sources;

pub use self::mapping::{Mapping, MappingError, clarity};
pub use self::pipeline::batch_channel::{Batch, BatchReceiver, BatchSender, ReceiverDropped};
pub use self::pipeline::checkpoint::{
    Checkpoint, CheckpointError, CheckpointPosition, FileFingerprint, Job,
};
pub use self::pipeline::outputs::{OutputOverlap, keep_apart};
pub use self::pipeline::process::Target;
pub use self::pipeline::progress::Progress;
pub use self::pipeline::report::{Report, ReportError};
pub use self::pipeline::summary::{
    ImportSummary, Outcome, ReadingCounts, ReadingOutcome, RecordOutcome,
};
pub use self::pipeline::verify::{Verification, VerificationCounts, verify};
pub use self::pipeline::{ImportError, ImportOutcome, ImportRun, run};
pub use self::raw_reading::{ImportContext, RawReading};
pub use self::record::{Content, Found, Record, Records, Rejection};
pub use self::source::{Format, OpenedSource, Source, SourceDetectionError};
pub use self::source_location::{SourceError, SourceLocation};
pub use self::sources::legacy_table::ScanOptions;
pub use self::sources::{apple_health, firestore};
