//! Sizes of request bodies.

/// Largest request body, except for batches. Metadata of 16 KiB takes six times that if every
/// character is escaped.
pub const DEFAULT_MAX_BODY_BYTES: usize = 128 * 1024;

/// Largest body of a batch.
pub const MAX_BATCH_BODY_BYTES: usize = 8 * 1024 * 1024;

/// Memory of a request while its body is parsed and stored, as a multiple of the body:
/// the body, its readings, their encoding for the store, and the response.
pub const PROCESSING_FACTOR: usize = 4;
