use jiff::Timestamp;

use crate::domain::UserId;

/// How an export is to be read.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// Whose it is: an export does not say.
    pub user_id: UserId,
    /// The present: what was measured more than a day after it is rejected, as
    /// from any client.
    pub now: Timestamp,
    /// How much of it is believed.
    pub limits: ExportLimits,
}

impl ExportOptions {
    /// To read all of `user_id`'s export at `now`.
    pub fn all(user_id: UserId, now: Timestamp) -> Self {
        Self {
            user_id,
            now,
            limits: ExportLimits::default(),
        }
    }
}

/// How much of an export is believed, so that a hostile one cannot use up
/// memory or run on forever.
#[derive(Debug, Clone, Copy)]
pub struct ExportLimits {
    /// The most bytes of one tag, comment or text. Those of real exports have a
    /// few hundred.
    pub markup: usize,
    /// How deep elements may nest. Those of real exports go five deep.
    pub depth: usize,
    /// The most bytes before the first element, where the document type is.
    pub prolog: usize,
    /// The most bytes of the list of files in a `.zip`. It has about a hundred
    /// for each workout with a route.
    pub zip_directory: u64,
    /// The most bytes that the XML in a `.zip` may have.
    pub expanded: u64,
    /// How many times its compressed size the XML in a `.zip` may have. Exports
    /// have 10 to 40 times; deflate can reach 1,032.
    pub ratio: u64,
    /// Bytes of the XML in a `.zip` that are given out whatever the ratio.
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
