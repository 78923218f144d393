//! Apple Health exports: `export.xml`, or the `export.zip` that contains it.
//!
//! # Path of an export
//!
//! [`AppleHealth::open`] finds the XML (`archive`, `inflate`), checks its prolog
//! (`prolog`) and passes its bytes to a pull parser, never more at a time than
//! [`ExportLimits`] allow (`budgeted_reader`). Each element directly in the root
//! becomes one [`SourceRecord`](crate::import::SourceRecord) (`elements`): a
//! `Record` of the export becomes readings (`record`, `attributes`), any other
//! element only its name. Nothing else is kept, so memory does not grow with the
//! file.
//!
//! # Conversion of a `Record`
//!
//! * Its time is its `endDate`, when the measurement was complete; an earlier
//!   start becomes `metadata.start`.
//! * Its type is looked up in the vocabulary by its `HealthKit` identifier
//!   (`kinds`). An unknown quantity keeps its own name in `snake_case`:
//!   `HKQuantityTypeIdentifierDietaryProtein` becomes `dietary_protein`.
//! * Its value is converted to the vocabulary's unit (`units`). `HealthKit`
//!   writes percentages as fractions: `unit="%" value="0.97"` is 97 %.
//! * An interval of sleep analysis becomes its duration in minutes (`kinds`);
//!   one in a known stage counts as that stage and as sleep.
//! * Its source, its device and its metadata entries become metadata
//!   (`provenance`), without the parts that change between exports, so that a
//!   reading in two exports is one reading.
//!
//! A record in a `Correlation` appears in the file a second time on its own, as
//! the DTD of the export states; only that one counts.

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
