use crate::domain::Reading;
use crate::import::record::Rejection;

/// What a document holds: readings, or what should be.
pub type Parts = Vec<Result<Reading, Rejection>>;

/// What a document says of all its metrics.
pub struct Upload {
    pub user_id: Option<String>,
    pub source: Option<String>,
    pub created_at: Option<String>,
}
