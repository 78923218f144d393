//! Admission of requests, by route class.
//!
//! A request passes three bounds: the memory of its body, a place at work, and the
//! memory of what it reads. `docs/design/overload.md` explains them and has the sum.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, timeout_at};

use super::cores::counted_cores;
use super::memory_pool::{MemoryLease, MemoryPool};
use super::owner::{Age, Owner};
use super::places::{Place, Places};
use super::sizes::MAX_BATCH_BODY_BYTES;
use crate::http::problem::ApiError;

/// Time between the deadline of the body and that of the request, so that the
/// sender gets a 408 and not a 504.
const BODY_DEADLINE_MARGIN: Duration = Duration::from_millis(50);

/// Time that a request waits for memory to read into. Others hold theirs for
/// milliseconds, unless they read slowly.
const MEMORY_PATIENCE: Duration = Duration::from_millis(500);

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

/// Route classes, and the memory that they share.
pub struct AdmissionControl {
    /// Creating and deleting readings.
    pub writes: Arc<RouteClass>,
    /// Listing and getting readings.
    pub reads: Arc<RouteClass>,
    /// Summaries, erasures and exports, which read or delete many readings.
    pub scans: Arc<RouteClass>,
    /// Batches.
    pub batches: Arc<RouteClass>,
    /// Questions, which mostly wait for a model.
    pub insights: Arc<RouteClass>,
    /// Questions whose readings are being read and analyzed.
    pub analyses: Arc<Places>,
    /// Memory for pages of lists, and for responses until they are sent.
    pub(super) responses: MemoryPool,
    /// Memory for what summaries and analyses read.
    pub(super) scanned: MemoryPool,
    /// Memory for the parts of exports.
    pub(super) exported: MemoryPool,
}

impl AdmissionControl {
    /// Sizes the limits by the number of cores. With one core and the default
    /// number of connections, everything fits the smallest task: see
    /// docs/design/overload.md for the sum.
    pub fn for_cores(deadlines: Deadlines) -> Self {
        const MIB: usize = 1024 * 1024;
        let cores = counted_cores();
        let pool = |mib: usize| MemoryPool::with_shares(mib * cores * MIB);
        let lending = |mib: usize, reserve| MemoryPool::lending(mib * cores * MIB, reserve);
        let bodies = Bodies::Small(pool(16));
        let uploads = Bodies::Uploads {
            arriving: lending(72, MAX_BATCH_BODY_BYTES),
            processed: lending(40, 0),
        };
        let class = |name, places: usize, waiting: usize, deadline, bodies: &Bodies| {
            Arc::new(RouteClass {
                name,
                places: Places::new(places * cores, waiting * cores),
                deadline,
                bodies: bodies.clone(),
            })
        };
        Self {
            writes: class("writes", 64, 1024, deadlines.data, &bodies),
            reads: class("reads", 64, 1024, deadlines.data, &bodies),
            scans: class("scans", 4, 64, deadlines.bulk, &bodies),
            batches: class("batches", 2, 64, deadlines.bulk, &uploads),
            insights: class("insights", 16, 64, deadlines.insights, &bodies),
            analyses: Places::new(2 * cores, 16 * cores),
            responses: pool(48),
            scanned: lending(64, 0),
            exported: pool(24),
        }
    }

    /// Leases memory for a response of `bytes` until it is sent.
    ///
    /// # Errors
    /// Fails if it does not become available until the deadline.
    pub async fn lease_response(
        &self,
        bytes: usize,
        ticket: &AdmissionTicket,
    ) -> Result<MemoryLease, ApiError> {
        ticket
            .lease(&self.responses, bytes, ticket.body_deadline())
            .await
    }

    /// Takes a place for the analysis of a question.
    ///
    /// # Errors
    /// Fails if none becomes free in time.
    pub async fn begin_analysis(&self, ticket: &AdmissionTicket) -> Result<Place, ApiError> {
        let place = self.analyses.take().await;
        place.ok_or_else(|| ApiError::overloaded(ticket.0.class.name))
    }
}

/// Class of routes with the same limits.
pub struct RouteClass {
    /// Name in metrics.
    name: &'static str,
    places: Arc<Places>,
    deadline: Duration,
    bodies: Bodies,
}

/// Memory for the bodies of a route class.
#[derive(Clone)]
pub(super) enum Bodies {
    /// Bodies that are leased with the memory for processing them.
    Small(MemoryPool),
    /// Bodies that arrive for much longer than they are processed.
    Uploads {
        arriving: MemoryPool,
        processed: MemoryPool,
    },
}

/// Admission of a request: its class, deadline, age and place.
#[derive(Clone)]
pub struct AdmissionTicket(Arc<Ticket>);

struct Ticket {
    class: Arc<RouteClass>,
    deadline: Instant,
    age: Age,
    owner: Owner,
    place: Mutex<Option<Place>>,
}

impl AdmissionTicket {
    fn new(class: Arc<RouteClass>, owner: Owner) -> Self {
        static NEXT_AGE: AtomicU64 = AtomicU64::new(1);
        Self(Arc::new(Ticket {
            deadline: Instant::now() + class.deadline,
            class,
            age: Age(NEXT_AGE.fetch_add(1, Ordering::Relaxed)),
            owner,
            place: Mutex::default(),
        }))
    }

    /// Returns the ticket that [`admit`] left in the extensions of a request.
    ///
    /// # Errors
    /// Fails if there is none, as the route lacks the layer.
    pub fn from_extensions(extensions: &Extensions) -> Result<&Self, ApiError> {
        let ticket = extensions.get();
        ticket.ok_or(ApiError::Internal("the route has no admission layer"))
    }

    /// Returns the deadline of the request.
    pub fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// Returns the deadline of the request's body.
    pub fn body_deadline(&self) -> Instant {
        self.0.deadline - BODY_DEADLINE_MARGIN
    }

    /// Returns the memory for bodies of this class.
    pub(super) fn bodies(&self) -> &Bodies {
        &self.0.class.bodies
    }

    /// Leases memory of `pool` for this request.
    ///
    /// # Errors
    /// Fails if it does not become available until `deadline`.
    pub async fn lease(
        &self,
        pool: &MemoryPool,
        bytes: usize,
        deadline: Instant,
    ) -> Result<MemoryLease, ApiError> {
        let lease = pool.lease(bytes, self.0.age, self.0.owner, deadline).await;
        lease.ok_or_else(|| ApiError::overloaded("memory"))
    }

    /// Leases memory of `pool` for what this request reads.
    ///
    /// # Errors
    /// Fails if it does not become available in time.
    pub async fn lease_for_reading(
        &self,
        pool: &MemoryPool,
        bytes: usize,
    ) -> Result<MemoryLease, ApiError> {
        let deadline = Instant::now() + MEMORY_PATIENCE;
        self.lease(pool, bytes, deadline.min(self.0.deadline)).await
    }

    /// Takes a place for the request.
    ///
    /// # Errors
    /// Fails if none becomes free while the request is fresh; for uploads, until the
    /// deadline.
    pub async fn take_place(&self) -> Result<(), ApiError> {
        match self.0.class.bodies {
            Bodies::Small(_) => self.hold(self.0.class.places.take().await),
            Bodies::Uploads { .. } => self.take_place_until_deadline().await,
        }
    }

    /// Takes a place for work that its client has already paid for, by an upload or with
    /// the beginning of a download.
    ///
    /// # Errors
    /// Fails if none becomes free until the deadline.
    pub async fn take_place_until_deadline(&self) -> Result<(), ApiError> {
        let deadline = self.body_deadline();
        self.hold(self.0.class.places.take_until(deadline).await)
    }

    /// Moves the place to work that goes on after the head of the response.
    pub fn move_place(&self) -> Option<Place> {
        self.place().take()
    }

    /// Gives the place back, if the request has one.
    pub fn release_place(&self) {
        drop(self.move_place());
    }

    fn hold(&self, place: Option<Place>) -> Result<(), ApiError> {
        let place = place.ok_or_else(|| ApiError::overloaded(self.0.class.name))?;
        *self.place() = Some(place);
        Ok(())
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.0.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AdmissionTicket {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::from_extensions(&parts.extensions).cloned()
    }
}

/// Admits a request under the limits of its route class and enforces its deadline.
///
/// A POST takes its place when its body is complete, so that slow senders keep none;
/// any other request takes it here. It is given back with the head of the response:
/// what is left to send holds only memory.
pub async fn admit(
    State(class): State<Arc<RouteClass>>,
    mut request: Request,
    next: Next,
) -> Response {
    let owner = request.extensions().get().copied().unwrap_or_default();
    let ticket = AdmissionTicket::new(class, owner);
    if request.method() != Method::POST
        && let Err(error) = ticket.take_place().await
    {
        return error.into_response();
    }
    request.extensions_mut().insert(ticket.clone());
    let response = timeout_at(ticket.deadline(), next.run(request)).await;
    ticket.release_place();
    response.unwrap_or_else(|_| ApiError::DeadlineExceeded.into_response())
}
