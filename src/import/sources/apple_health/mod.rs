//! Exports of Apple Health: `export.xml`, or the `export.zip` around it.
//!
//! # The way of an export
//!
//! [`AppleHealth::open`] finds the XML (`archive`, `inflate`), checks what
//! stands before its first element (`prolog`) and gives its bytes, never more
//! than [`ExportLimits`] allow at a time (`guarded`), to a pull parser. Each element
//! directly within the root becomes one [`Record`](super::Record) (`elements`):
//! a `Record` of the export the readings that it is (`record`, `attributes`,
//! `entries`), anything else its name. Nothing else is kept, so memory does not
//! grow with the file.
//!
//! # What becomes of a `Record`
//!
//! * Its time is its `endDate`, when the measurement was complete; where it
//!   began earlier, `metadata.start` says when.
//! * Its type is looked up in the vocabulary by its `HealthKit` identifier
//!   (`kinds`). A quantity that is not in there is kept under its own name in
//!   `snake_case`: `HKQuantityTypeIdentifierDietaryProtein` is
//!   `dietary_protein`.
//! * Its value is converted to the vocabulary's unit (`units`). `HealthKit`
//!   writes percentages as fractions: `unit="%" value="0.97"` is 97 %.
//! * A stretch of sleep analysis becomes its duration in minutes (`sleep`); one
//!   asleep in a known stage counts as that stage and as sleep.
//! * Its source, its device and its metadata entries go into the metadata
//!   (`provenance`, `device`), without what changes from one export to the
//!   next, so that a reading of two exports is one reading.
//!
//! Records within a `Correlation` stand in the file a second time on their own,
//! as the export's own DTD says; only that counts.

mod archive;
mod attributes;
mod budgeted_reader;
mod elements;
mod error;
mod inflate;
mod kinds;
mod open;
mod options;
mod prolog;
mod provenance;
mod record;
mod units;

pub use elements::AppleHealth;
pub use options::{ExportLimits, ExportOptions};
