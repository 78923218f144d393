//! How many requests are served at once, how much memory they share, and how long
//! each may take: what is more than the service can bear is refused at once, so
//! that what it takes on is answered in time.
//!
//! Each class of routes has a [`ConcurrencyLimit`]. A request that brings a body
//! gets its permit when the body is there, as slow senders would keep others out;
//! while bodies arrive, they share a budget of their class. Pages of readings
//! share another one, and answers that wait for slow readers do too.

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
use super::sizes::{MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES};
use crate::http::problem::ApiError;

/// How long a request may wait for others to make room.
const QUEUE_TIMEOUT: Duration = Duration::from_millis(30);

/// How much sooner its body must have arrived than a request be answered, so
/// that its sender learns that it was the body.
const BODY_DEADLINE_MARGIN: Duration = Duration::from_millis(50);

/// Up to this size in bytes an answer is no burden while it is sent.
const SMALL_RESPONSE_BYTES: usize = 64 * 1024;

/// How long requests of each class may take, from their head to that of their
/// answer, and an export to its end.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Reading, storing and deleting.
    pub data: Duration,
    /// Batches, exports, summaries and erasures.
    pub bulk: Duration,
    /// Questions.
    pub insights: Duration,
}

/// What requests may take of the service at once.
#[derive(Clone)]
pub struct AdmissionControl {
    /// Reading, storing and deleting.
    pub data: Arc<ConcurrencyLimit>,
    /// Summaries, erasures and exports, which go through many readings.
    pub scans: Arc<ConcurrencyLimit>,
    /// Batches.
    pub batches: Arc<ConcurrencyLimit>,
    /// Questions.
    pub insights: Arc<ConcurrencyLimit>,
    /// Pages of readings, and large answers.
    pub(super) pages: MemoryPool,
}

impl AdmissionControl {
    /// As much as this machine's cores can bear. With one of them, and
    /// as many connections as there may be by default, it fits the memory of the
    /// smallest task: docs/design/overload.md has the sum.
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
            data: limit("data", data, deadlines.data, data * MAX_BODY_BYTES),
            scans: limit("scans", 16 * cores, deadlines.bulk, 0),
            batches: limit(
                "batches",
                batches,
                deadlines.bulk,
                batches * MAX_BATCH_BODY_BYTES,
            ),
            // These wait for a model most of the time.
            insights: limit(
                "insights",
                insights,
                deadlines.insights,
                insights * MAX_BODY_BYTES,
            ),
            pages: MemoryPool::new(64 * 1024 * 1024 * cores, QUEUE_TIMEOUT),
        }
    }
}

/// Lets so many requests be served at once; as many more may wait a moment.
pub struct ConcurrencyLimit {
    /// The name of its class in metrics.
    class: &'static str,
    permits: Arc<Semaphore>,
    queued: AtomicUsize,
    max_queued: usize,
    deadline: Duration,
    /// What bodies may hold that have no permit yet. What they are gathered in
    /// doubles as it grows, so that they take twice that at most.
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

/// Somebody who waits, until they no longer do, for whatever reason.
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

/// What a request has of its class's limits.
pub struct AdmissionTicket {
    limit: Arc<ConcurrencyLimit>,
    deadline: Instant,
    /// Held until the answer is given.
    permit: OnceLock<OwnedSemaphorePermit>,
}

impl AdmissionTicket {
    /// The ticket of the request with these extensions.
    ///
    /// # Errors
    /// When it has none, as every request to a limited route has.
    pub fn from_extensions(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        let ticket = extensions.get();
        ticket.ok_or(ApiError::Internal("the route has no admission layer"))
    }

    /// Until when it is to be answered.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Until when its body must have arrived.
    pub fn body_deadline(&self) -> Instant {
        self.deadline - BODY_DEADLINE_MARGIN
    }

    /// Takes memory for a part of its body.
    ///
    /// # Errors
    /// When other bodies have it.
    pub fn reserve_for_body(&self, bytes: usize) -> Result<MemoryLease, ApiError> {
        let reserved = self.limit.bodies.try_reserve(bytes);
        reserved.ok_or_else(|| ApiError::overloaded(self.limit.class))
    }

    /// Waits a moment for a permit to be served.
    ///
    /// # Errors
    /// When there is none.
    pub async fn acquire_permit(&self) -> Result<(), ApiError> {
        let permit = self.limit.acquire().await?;
        // Nobody acquires two.
        let _ = self.permit.set(permit);
        Ok(())
    }
}

/// The limit of a class of routes, with what all of them share.
#[derive(Clone)]
pub struct RouteLimit {
    limit: Arc<ConcurrencyLimit>,
    pages: MemoryPool,
}

impl RouteLimit {
    /// That of `limit`.
    pub fn new(admission: &AdmissionControl, limit: &Arc<ConcurrencyLimit>) -> Self {
        Self {
            limit: Arc::clone(limit),
            pages: admission.pages.clone(),
        }
    }
}

/// Lets a request through when there is a permit for it, and gives it up when its
/// time is over. What is sent by POST acquires its permit where its body has been
/// read.
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
        // A large answer takes memory until it is sent.
        Some(size) if let Some(memory) = route.pages.try_reserve(size) => {
            response.map(|body| Body::new(GuardedBody::new(body, memory)))
        }
        _ => response.map(|body| Body::new(GuardedBody::new(body, ticket))),
    }
}
