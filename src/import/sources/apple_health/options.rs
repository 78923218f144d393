use jiff::Timestamp;

use crate::domain::UserId;

/// Parameters for reading an export.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The user, whom an export does not name.
    pub user_id: UserId,
    /// The current time: later measurements are rejected, with a tolerance of one
    /// day, as for any client.
    pub now: Timestamp,
    /// Limits of the input.
    pub limits: ExportLimits,
}

impl ExportOptions {
    /// Returns the parameters for `user_id`'s export at `now`, with default limits.
    pub fn new(user_id: UserId, now: Timestamp) -> Self {
        Self {
            user_id,
            now,
            limits: ExportLimits::default(),
        }
    }
}

/// Limits of an export, so that a hostile one can exhaust neither memory nor
/// time.
#[derive(Debug, Clone, Copy)]
pub struct ExportLimits {
    /// Maximum size of a tag, comment or text in bytes. Real exports have a few
    /// hundred.
    pub markup: usize,
    /// Maximum depth of elements. Real exports have five levels.
    pub depth: usize,
    /// Maximum size of the prolog, which contains the document type, in bytes.
    pub prolog: usize,
    /// Maximum size of the central directory of a ZIP archive in bytes. It has
    /// about a hundred for each workout with a route.
    pub zip_directory: u64,
    /// Maximum size of the XML in a ZIP archive in bytes.
    pub expanded: u64,
    /// Maximum compression ratio of the XML in a ZIP archive. Exports have 10 to
    /// 40; deflate can reach 1,032.
    pub ratio: u64,
    /// Bytes of the XML in a ZIP archive to which the ratio does not apply.
    pub ratio_exempt_bytes: u64,
}

impl Default for ExportLimits {
    fn default() -> Self {
        Self {
            markup: 1 << 20,
            depth: 32,
            prolog: 1 << 20,
            zip_directory: 4 << 20,
            expanded: 256 << 30,
            ratio: 250,
            ratio_exempt_bytes: 64 << 20,
        }
    }
}
