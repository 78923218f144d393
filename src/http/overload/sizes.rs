//! Maximum sizes of request bodies.

/// Largest request body, except for batches. Metadata of 16 KiB takes six times that if every
/// character is escaped.
pub const DEFAULT_MAX_BODY_BYTES: usize = 128 * 1024;

/// Largest body of a batch.
pub const MAX_BATCH_BODY_BYTES: usize = 8 * 1024 * 1024;
