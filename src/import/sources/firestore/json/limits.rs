/// The longest document as JSON. One of 1 MiB of bytes takes 14 MiB when each
/// byte has its own line.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;
