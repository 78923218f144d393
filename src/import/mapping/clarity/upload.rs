use crate::domain::Reading;
use crate::import::record::Rejection;

/// Readings of a document and the rejections of invalid ones.
pub type Parts = Vec<Result<Reading, Rejection>>;

/// Members of a document that apply to all its metrics.
pub struct Upload {
    /// The user.
    pub user_id: Option<String>,
    /// The origin of the data, such as `fitbit`.
    pub source: Option<String>,
    /// Time of the upload.
    pub created_at: Option<String>,
}
