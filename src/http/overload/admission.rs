//! Admission control: bounds on concurrency and time per route class. Requests
//! beyond capacity are shed at once, so that admitted ones finish in time.
//!
//! Each route class has a [`ConcurrencyLimit`]. A request with a body takes its
//! permit when the body is complete, so that slow senders cannot block others;
//! arriving bodies draw on a memory pool of their class. Pages of readings and
//! large responses share another pool.
//!
//! docs/design/overload.md explains the bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Extensions, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::guarded_body::GuardedBody;
use super::memory_pool::{MemoryLease, MemoryPool};
use super::sizes::{DEFAULT_MAX_BODY_BYTES, MAX_BATCH_BODY_BYTES};
use crate::http::problem::ApiError;

/// Time a request may queue for a permit or for memory. A longer queue would only
/// add latency to work that is already too much.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(30);

/// Time between the deadline of the body and that of the request, so that the
/// sender gets a 408 and not a 504.
const BODY_DEADLINE_MARGIN: Duration = Duration::from_millis(50);

/// Responses up to this size release their permit at once: they cost little while
/// they are sent.
const SMALL_RESPONSE_BYTES: usize = 64 * 1024;

/// Deadlines per route class, from the head of a request to the head of its
/// response; for exports, to the end of the body.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Creating, listing, getting and deleting readings.
    pub data: Duration,
    /// Batches, exports, summaries and erasures.
    pub bulk: Duration,
    /// Questions.
    pub insights: Duration,
}

/// Limits on concurrency and memory, by route class.
#[derive(Clone)]
pub struct AdmissionControl {
    /// Creating, listing, getting and deleting readings.
    pub data: Arc<ConcurrencyLimit>,
    /// Summaries, erasures and exports, which read or delete many readings.
    pub scans: Arc<ConcurrencyLimit>,
    /// Batches.
    pub batches: Arc<ConcurrencyLimit>,
    /// Questions.
    pub insights: Arc<ConcurrencyLimit>,
    /// Memory for pages of readings and for large responses.
    pub(super) pages: MemoryPool,
}

impl AdmissionControl {
    /// Sizes the limits by the number of cores. With one core and the default
    /// number of connections, everything fits the smallest task: see
    /// docs/design/overload.md for the sum.
    pub fn for_cores(deadlines: Deadlines) -> Self {
        let cores = available_parallelism().map_or(1, usize::from).min(16);
        let limit = |class, permits, deadline, bodies| {
            Arc::new(ConcurrencyLimit {
                class,
                permits: Arc::new(Semaphore::new(permits)),
                queued: AtomicUsize::new(0),
                max_queued: permits,
                deadline,
                bodies: MemoryPool::new(bodies, QUEUE_TIMEOUT),
            })
        };
        let data = 64 * cores;
        let batches = 2 * cores;
        let insights = 16 * cores;
        Self {
            data: limit("data", data, deadlines.data, data * DEFAULT_MAX_BODY_BYTES),
            scans: limit("scans", 16 * cores, deadlines.bulk, 0),
            batches: limit(
                "batches",
                batches,
                deadlines.bulk,
                batches * MAX_BATCH_BODY_BYTES,
            ),
            // Mostly waiting for a model.
            insights: limit(
                "insights",
                insights,
                deadlines.insights,
                insights * DEFAULT_MAX_BODY_BYTES,
            ),
            pages: MemoryPool::new(64 * 1024 * 1024 * cores, QUEUE_TIMEOUT),
        }
    }
}

/// Bounded number of concurrent requests, with a bounded queue.
pub struct ConcurrencyLimit {
    /// Name of the route class in metrics.
    class: &'static str,
    permits: Arc<Semaphore>,
    queued: AtomicUsize,
    max_queued: usize,
    deadline: Duration,
    /// Memory for bodies that have no permit yet. Buffers double as they grow, so
    /// they take up to twice this.
    bodies: MemoryPool,
}

impl ConcurrencyLimit {
    async fn acquire(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let slot = QueueSlot::enter(&self.queued);
        if slot.ahead < self.max_queued {
            let permit = Arc::clone(&self.permits).acquire_owned();
            if let Ok(Ok(permit)) = timeout(QUEUE_TIMEOUT, permit).await {
                return Ok(permit);
            }
        }
        Err(ApiError::overloaded(self.class))
    }
}

/// Place in the queue for a permit, given up on drop.
struct QueueSlot<'a> {
    count: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> QueueSlot<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        let ahead = count.fetch_add(1, Ordering::Relaxed);
        Self { count, ahead }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request's share of the limits of its route class.
pub struct AdmissionTicket {
    limit: Arc<ConcurrencyLimit>,
    deadline: Instant,
    /// Released as [`admit`] describes.
    permit: OnceLock<OwnedSemaphorePermit>,
}

impl AdmissionTicket {
    /// Returns the ticket that [`admit`] left in the extensions of a request.
    ///
    /// # Errors
    /// Fails if there is none, as the route lacks the layer.
    pub fn from_extensions(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        let ticket = extensions.get();
        ticket.ok_or(ApiError::Internal("the route has no admission layer"))
    }

    /// Returns the deadline of the request.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns the deadline of the request's body.
    pub fn body_deadline(&self) -> Instant {
        self.deadline - BODY_DEADLINE_MARGIN
    }

    /// Reserves memory for a chunk of the body.
    ///
    /// # Errors
    /// Fails if the pool of the route class is exhausted.
    pub fn reserve_for_body(&self, bytes: usize) -> Result<MemoryLease, ApiError> {
        let reserved = self.limit.bodies.try_reserve(bytes);
        reserved.ok_or_else(|| ApiError::overloaded(self.limit.class))
    }

    /// Takes a permit, after queueing for a moment if need be.
    ///
    /// # Errors
    /// Fails if the queue is full or no permit becomes free in time.
    pub async fn acquire_permit(&self) -> Result<(), ApiError> {
        let permit = self.limit.acquire().await?;
        // Set once per request.
        let _ = self.permit.set(permit);
        Ok(())
    }
}

/// State of the [`admit`] layer of a route class.
#[derive(Clone)]
pub struct RouteLimit {
    limit: Arc<ConcurrencyLimit>,
    pages: MemoryPool,
}

impl RouteLimit {
    /// Creates the state for routes under `limit`.
    pub fn new(admission: &AdmissionControl, limit: &Arc<ConcurrencyLimit>) -> Self {
        Self {
            limit: Arc::clone(limit),
            pages: admission.pages.clone(),
        }
    }
}

/// Admits a request under the limit of its route class and enforces its deadline.
///
/// A POST takes its permit when its body is complete, any other request takes it
/// here. The permit is released with the response head if the body is small, else
/// when the body is sent, unless the memory pool has room for it.
pub async fn admit(State(route): State<RouteLimit>, mut request: Request, next: Next) -> Response {
    let deadline = Instant::now() + route.limit.deadline;
    let ticket = Arc::new(AdmissionTicket {
        limit: route.limit,
        deadline,
        permit: OnceLock::new(),
    });
    if request.method() != Method::POST
        && let Err(error) = ticket.acquire_permit().await
    {
        return error.into_response();
    }
    request.extensions_mut().insert(Arc::clone(&ticket));
    let Ok(response) = timeout_at(deadline, next.run(request)).await else {
        return ApiError::DeadlineExceeded.into_response();
    };
    let size = response.body().size_hint().exact();
    match size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)) {
        Some(size) if size <= SMALL_RESPONSE_BYTES => response,
        // The lease replaces the permit while the response is sent.
        Some(size) if let Some(memory) = route.pages.try_reserve(size) => {
            response.map(|body| Body::new(GuardedBody::new(body, memory)))
        }
        _ => response.map(|body| Body::new(GuardedBody::new(body, ticket))),
    }
}
