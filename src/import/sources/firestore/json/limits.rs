/// Maximum size of a document: its JSON, and [`VALUE_BYTES`] for each value. A value of
/// 1 MiB of bytes takes 14 MiB with each byte on its own line, and 16 MiB for a million
/// values.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 32 * 1024 * 1024;

/// Bytes that a value counts besides its JSON: an array of one-digit numbers takes many
/// times its text in memory.
pub(super) const VALUE_BYTES: u64 = 16;
