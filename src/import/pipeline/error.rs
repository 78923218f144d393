use super::checkpoint::CheckpointError;
use super::report::ReportError;
use crate::import::source_location::SourceError;
use crate::store::StoreError;

/// Error that ends an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store failed permanently, or for longer than the retries last.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The rest of the source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Error of writing the report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
