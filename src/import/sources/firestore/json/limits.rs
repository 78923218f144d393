/// Maximum size of a document as JSON. A value of 1 MiB of bytes takes 14 MiB
/// with each byte on its own line.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;
