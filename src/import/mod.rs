//! Moving in: readings from elsewhere, in files, databases and tables.
//!
//! # The way of a record
//!
//! A [`Source`] yields [`Record`]s one after another: a line, a row, a document,
//! an element, with the [`Place`] where it stands and the readings that it
//! holds, or why it holds none. A [`Feed`] packs them into batches, at most a
//! few of which exist at a time, so that memory does not grow with the source.
//! [`run`] puts each batch into the store and notes what became of every record
//! in the [`Ledger`], in the [`Report`] and, from time to time, in a
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

pub mod apple_health;
mod checkpoint;
pub mod clarity;
mod draft;
mod feed;
pub mod firestore;
mod ledger;
mod mapping;
mod outputs;
mod pipeline;
mod place;
mod progress;
pub mod readings;
mod record;
mod report;
mod rounding;
pub mod rows;
mod settle;
mod source;
mod turns;
mod verification;

pub use self::checkpoint::{Checkpoint, CheckpointFault, FileMark, Job, Settled};
pub use self::draft::{Circumstances, Draft};
pub use self::feed::{Batch, Feed, Feeder, NotWanted};
pub use self::ledger::{Done, DoneReading, Ledger, Outcome, ReadingLedger};
pub use self::mapping::{Mapping, MappingFault};
pub use self::outputs::{Overwriting, keep_apart};
pub use self::pipeline::{Ended, ImportFault, Run, run};
pub use self::place::{Damage, Place};
pub use self::progress::Progress;
pub use self::record::{Content, Found, Record, Records, Rejection};
pub use self::report::{Report, ReportFault};
pub use self::settle::Target;
pub use self::source::{Format, Opened, Source, Unknown};
pub use self::verification::{Tally, Verification, verify};
