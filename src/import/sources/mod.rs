//! Readers of the supported sources.

pub mod apple_health;
pub mod csv;
pub mod firestore;
pub mod legacy_table;
pub mod ndjson;

/// The most bytes of one reading: more than metadata of the largest size take
/// where every character is escaped, and less than would fill the memory.
const LONGEST: u64 = 1024 * 1024;
