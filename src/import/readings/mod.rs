//! Files of readings, such as those that the service's own export gives.

mod csv;
mod ndjson;

pub use self::csv::CsvReadings;
pub use self::ndjson::NdjsonReadings;

/// The most bytes of one reading: more than metadata of the largest size take
/// where every character is escaped, and less than would fill the memory.
const LONGEST: u64 = 1024 * 1024;
