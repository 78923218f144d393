use std::error::Error;
use std::sync::Arc;

/// Why a store could not do what it was asked.
///
/// Its texts and causes hold nothing of a reading, so that they may be logged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It takes no more for the moment.
    #[error("the store takes no more requests for the moment")]
    Throttled(#[source] Cause),
    /// It does not answer, or failed on the way.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// Somebody who runs the service has to mend something.
    #[error("the store is not set up: {advice}")]
    Misconfigured {
        /// What to mend.
        advice: String,
        /// What the store said.
        #[source]
        cause: Cause,
    },
    /// What it holds is not what was written.
    #[error("the store holds something unreadable")]
    Corrupt(#[source] Cause),
}

/// What lies behind a [`StoreError`]; one cause may fail many requests at once.
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

    /// A stable name of what kind it is, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Throttled(_) => "throttled",
            Self::Unavailable(_) => "unavailable",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Corrupt(_) => "corrupt",
        }
    }

    /// Whether the same request may succeed a little later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unavailable(_))
    }
}
