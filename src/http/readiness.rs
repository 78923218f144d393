use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::store::ReadingStore;
use crate::telemetry::error_chain;

/// Readiness of the service: the store responds and no shutdown has started.
///
/// The probe needs no credential, so the result of the store's check is cached.
pub struct Readiness {
    store: Arc<dyn ReadingStore>,
    last: Mutex<Option<(Instant, bool)>>,
    shutting_down: AtomicBool,
}

impl Readiness {
    /// Validity of a cached check, which bounds the load that probes cause.
    const CACHE_TTL: Duration = Duration::from_secs(1);

    /// Timeout of a check, below the timeout of load balancers.
    const TIMEOUT: Duration = Duration::from_secs(3);

    /// Creates the readiness of a service over `store`.
    pub fn new(store: Arc<dyn ReadingStore>) -> Self {
        Self {
            store,
            last: Mutex::default(),
            shutting_down: AtomicBool::new(false),
        }
    }

    /// Makes the service not ready, so that load balancers stop routing to it.
    pub fn begin_shutdown(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    /// Returns whether the service is ready, and the status of the store as
    /// reported.
    pub async fn check(&self) -> (bool, &'static str) {
        let is_store_ok = self.is_store_ok().await;
        let is_ready = is_store_ok && !self.shutting_down.load(Ordering::Relaxed);
        (is_ready, if is_store_ok { "ok" } else { "failing" })
    }

    async fn is_store_ok(&self) -> bool {
        // Held during the check, so that concurrent probes share its result.
        let mut last = self.last.lock().await;
        if let Some((at, is_ok)) = *last
            && at.elapsed() < Self::CACHE_TTL
        {
            return is_ok;
        }
        let result = timeout(Self::TIMEOUT, self.store.check()).await;
        let error = match &result {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error_chain(error)),
            Err(elapsed) => Some(error_chain(elapsed)),
        };
        if let Some(error) = &error {
            tracing::error!(error, "store check failed");
        }
        *last = Some((Instant::now(), error.is_none()));
        error.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::EmbeddedStore;

    #[tokio::test]
    async fn shutdown_makes_service_not_ready() {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let readiness = Readiness::new(Arc::new(store));
        assert_eq!(readiness.check().await, (true, "ok"));
        readiness.begin_shutdown();
        assert_eq!(readiness.check().await, (false, "ok"));
    }
}
