//! What becomes known of a request while it is served, wherever that is.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::task_local;
use tracing::{Instrument, Span};

task_local! {
    static CURRENT: Arc<RequestStats>;
}

/// What the line of a request tells besides what its answer shows.
#[derive(Debug, Default)]
pub struct RequestStats {
    upstream_attempts: AtomicU32,
    principal: OnceLock<Arc<str>>,
}

impl RequestStats {
    /// Notes that DynamoDB or Gemini is asked once, for the request that this
    /// task serves, if it serves one.
    pub fn count_attempt() {
        // A task of the service's own has no request.
        let _ = CURRENT.try_with(|facts| facts.upstream_attempts.fetch_add(1, Ordering::Relaxed));
    }

    /// How often DynamoDB or Gemini was asked.
    pub fn upstream_attempts(&self) -> u32 {
        self.upstream_attempts.load(Ordering::Relaxed)
    }

    /// Notes who asks: a key's id, or a pseudonym.
    pub fn set_principal(&self, id: Arc<str>) {
        // The first to know it is right.
        let _ = self.principal.set(id);
    }

    /// Who asks, once it is known.
    pub fn principal(&self) -> Option<&str> {
        self.principal.get().map(|id| &**id)
    }

    /// Runs `run` as a part of this request.
    pub fn scope<T>(self: &Arc<Self>, run: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::clone(self), run)
    }

    /// The future as a part of this request.
    pub fn serve<F: Future>(self: &Arc<Self>, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(Arc::clone(self), future)
    }
}

/// Futures that go on in a task of their own, and still belong to the request
/// that started them.
pub trait PropagateRequestContext: Future + Sized {
    /// Takes along what the line and the spans of the request are told by.
    fn propagate_request_context(self) -> impl Future<Output = Self::Output>;
}

impl<F: Future> PropagateRequestContext for F {
    fn propagate_request_context(self) -> impl Future<Output = F::Output> {
        let facts = CURRENT.try_with(Arc::clone).unwrap_or_default();
        CURRENT.scope(facts, self.instrument(Span::current()))
    }
}
