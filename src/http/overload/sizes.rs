/// The largest body of a request in bytes. Metadata of 16 KiB take six times
/// that when every character is escaped.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

/// The largest body of a batch in bytes.
pub const MAX_BATCH_BODY_BYTES: usize = 8 * 1024 * 1024;
