use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::problem::ApiError;

/// Bytes taken from a [`MemoryPool`], given back on drop.
pub type MemoryLease = OwnedSemaphorePermit;

/// Budget of memory in bytes, shared by many requests.
#[derive(Clone)]
pub struct MemoryPool {
    bytes: Arc<Semaphore>,
    /// Time that [`Self::reserve`] waits for others to give memory back.
    queue_timeout: Duration,
}

impl MemoryPool {
    /// Creates a pool of `bytes`.
    pub fn new(bytes: usize, queue_timeout: Duration) -> Self {
        Self {
            bytes: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
            queue_timeout,
        }
    }

    /// Leases `bytes` if they are available.
    pub fn try_reserve(&self, bytes: usize) -> Option<MemoryLease> {
        let bytes = u32::try_from(bytes).ok()?;
        Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()
    }

    /// Leases `bytes`, after queueing for a moment if need be.
    ///
    /// # Errors
    /// Fails if they do not become available in time.
    pub async fn reserve(&self, bytes: usize) -> Result<MemoryLease, ApiError> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let reserved = Arc::clone(&self.bytes).acquire_many_owned(bytes);
        match timeout(self.queue_timeout, reserved).await {
            Ok(Ok(reserved)) => Ok(reserved),
            _ => Err(ApiError::overloaded("memory")),
        }
    }
}
