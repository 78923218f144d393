//! Data about a request that is collected where it is served, for its log line.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::task_local;
use tracing::{Instrument, Span};

task_local! {
    static CURRENT: Arc<RequestStats>;
}

/// Part of a request's log line that its response does not show.
#[derive(Debug, Default)]
pub struct RequestStats {
    upstream_attempts: AtomicU32,
    principal: OnceLock<Arc<str>>,
}

impl RequestStats {
    /// Counts an attempt to call DynamoDB or Gemini, for the request that this task
    /// serves.
    pub fn count_attempt() {
        // Background tasks have no request.
        let _ = CURRENT.try_with(|stats| stats.upstream_attempts.fetch_add(1, Ordering::Relaxed));
    }

    /// Returns the number of attempts to call DynamoDB or Gemini.
    pub fn upstream_attempts(&self) -> u32 {
        self.upstream_attempts.load(Ordering::Relaxed)
    }

    /// Sets the principal: the id of a key, or a pseudonym.
    pub fn set_principal(&self, id: Arc<str>) {
        // The first value wins.
        let _ = self.principal.set(id);
    }

    /// Returns the principal, once it is authenticated.
    pub fn principal(&self) -> Option<&str> {
        self.principal.get().map(|id| &**id)
    }

    /// Runs `run` in the scope of this request.
    pub fn scope<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::clone(self), run)
    }

    /// Wraps the future in the scope of this request.
    pub fn serve<F: Future>(self: &Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Arc::clone(self), future)
    }
}

/// Extension of futures that run in their own task on behalf of a request.
pub trait PropagateRequestContext: Future + Sized {
    /// Wraps the future in the span and the stats of the current request.
    fn propagate_request_context(self) -> impl Future<Output = Self::Output>;
}

impl<F: Future> PropagateRequestContext for F {
    fn propagate_request_context(self) -> impl Future<Output = F::Output> {
        let stats = CURRENT.try_with(Arc::clone).unwrap_or_default();
        CURRENT.scope(stats, self.instrument(Span::current()))
    }
}
