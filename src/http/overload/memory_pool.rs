use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::problem::ApiError;

/// Bytes taken from a [`MemoryPool`] until this is dropped.
pub type MemoryLease = OwnedSemaphorePermit;

/// Memory that many requests share, in bytes.
#[derive(Clone)]
pub struct MemoryPool {
    bytes: Arc<Semaphore>,
    /// How long a reservation may wait for others to end.
    queue_timeout: Duration,
}

impl MemoryPool {
    /// A budget of so many bytes.
    pub fn new(bytes: usize, queue_timeout: Duration) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
            queue_timeout,
        }
    }

    /// Takes so many bytes until what this gives is dropped, if they are there.
    pub fn try_reserve(&self, bytes: usize) -> Option<MemoryLease> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()
    }

    /// The same, and waits a moment for others to give theirs back.
    ///
    /// # Errors
    /// When they do not.
    pub async fn reserve(&self, bytes: usize) -> Result<MemoryLease, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let reserved = Arc::clone(&self.bytes).acquire_many_owned(bytes);
        match timeout(self.queue_timeout, reserved).await {
            Ok(Ok(reserved)) => Ok(reserved),
            _ => Err(ApiError::overloaded("memory")),
        }
    }
}
