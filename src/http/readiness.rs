use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::store::ReadingStore;
use crate::telemetry::error_chain;

/// Knows whether the service can do its work.
///
/// Anybody may ask, so the store is asked at most once a second,
/// however many ask.
pub struct Readiness {
    store: Arc<dyn ReadingStore>,
    last: Mutex<Option<(Instant, bool)>>,
    shutting_down: AtomicBool,
}

impl Readiness {
    /// How long an answer of the store counts.
    const CACHE_TTL: Duration = Duration::from_secs(1);

    /// How long the store is waited for: less than load balancers wait.
    const TIMEOUT: Duration = Duration::from_secs(3);

    /// Readiness of a service over `store`.
    pub fn new(store: Arc<dyn ReadingStore>) -> Self {
        Self {
            store,
            last: Mutex::default(),
            shutting_down: AtomicBool::new(false),
        }
    }

    /// From now on the service is not ready, so that nobody sends it more.
    pub fn begin_shutdown(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    /// Whether the service is ready, and how the store does.
    pub async fn check(&self) -> (bool, &'static str) {
        let is_store_ok = self.is_store_ok().await;
        let is_ready = is_store_ok && !self.shutting_down.load(Ordering::Relaxed);
        (is_ready, if is_store_ok { "ok" } else { "failing" })
    }

    async fn is_store_ok(&self) -> bool {
        // Held while the store is asked: whoever comes meanwhile waits for the
        // same answer.
        let mut last = self.last.lock().await;
        if let Some((at, is_ok)) = *last
            && at.elapsed() < Self::CACHE_TTL
        {
            return is_ok;
        }
        let answer = timeout(Self::TIMEOUT, self.store.check()).await;
        let error = match &answer {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error_chain(error)),
            Err(elapsed) => Some(error_chain(elapsed)),
        };
        if let Some(error) = &error {
            tracing::error!(error, "the store does not answer");
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
    async fn a_service_that_is_shutting_down_is_not_ready() {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(directory.path()).unwrap();
        let readiness = Readiness::new(Arc::new(store));
        assert_eq!(readiness.check().await, (true, "ok"));
        readiness.begin_shutdown();
        assert_eq!(readiness.check().await, (false, "ok"));
    }
}
