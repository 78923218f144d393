use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::admission::QUEUE_TIMEOUT;
use super::error::ApiError;

/// Memory that many requests share, in bytes.
#[derive(Clone)]
pub struct ByteBudget(Arc<Semaphore>);

impl ByteBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Takes so many bytes until what this gives is dropped, if they are there.
    pub fn try_reserve(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.0).try_acquire_many_owned(bytes).ok()
    }

    /// The same, and waits a moment for others to give theirs back.
    ///
    /// # Errors
    /// When they do not.
    pub async fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let reserved = Arc::clone(&self.0).acquire_many_owned(bytes);
        match timeout(QUEUE_TIMEOUT, reserved).await {
            Ok(Ok(reserved)) => Ok(reserved),
            _ => Err(ApiError::overloaded("memory")),
        }
    }
}
