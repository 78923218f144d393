use std::error::Error;
use std::sync::Arc;

/// Failure of a store operation.
///
/// Messages and causes contain no health data and no user id, so they may be logged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The store sheds load.
    #[error("the store is throttling requests")]
    Throttled(#[source] Cause),
    /// The store did not respond, or the operation failed with an unknown outcome.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// An operator has to change the configuration.
    #[error("the store is misconfigured: {advice}")]
    Misconfigured {
        /// Remedy.
        advice: String,
        /// Error of the store.
        #[source]
        cause: Cause,
    },
    /// Stored data cannot be decoded.
    #[error("stored data is corrupt")]
    Corrupt(#[source] Cause),
}

/// Cause of a [`StoreError`]. It is shared, as one cause may fail many requests.
pub type Cause = Arc<dyn Error + Send + Sync>;

impl StoreError {
    pub(super) fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    pub(super) fn throttled(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Throttled(Arc::from(cause.into()))
    }

    pub(super) fn corrupt(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Corrupt(Arc::from(cause.into()))
    }

    /// Returns a stable name of the variant, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Unavailable(_) => "unavailable",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Corrupt(_) => "corrupt",
        }
    }

    /// Returns `true` if the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }
}
