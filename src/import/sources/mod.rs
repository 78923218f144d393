//! Readers of the supported sources.

pub mod apple_health;
pub mod csv;
pub mod firestore;
pub mod legacy_table;
pub mod ndjson;

/// Maximum size of a reading in a file: larger than the largest metadata with every
/// character escaped, and small enough to hold in memory.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
