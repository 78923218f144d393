//! How many requests are served at once, and how long each may take: what is
//! more than the service can bear is refused at once, so that what it takes on
//! is answered in time.
//!
//! A request that brings a body gets its place when the body is there
//! ([`Visit::begin`]), as slow senders would keep others out; while bodies
//! arrive, `arriving_body` bounds what they hold.

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

use super::arriving_body::BodyBudget;
use super::batch;
use super::error::ApiError;
use super::guarded::Guarded;
use crate::telemetry::metrics::names;

/// How long a request may wait for a place.
const PATIENCE: Duration = Duration::from_millis(30);

/// How much sooner its body must have arrived than a request be answered, so
/// that its sender learns that it was the body.
const SOONER: Duration = Duration::from_millis(50);

/// How long requests of each class may take, from their head to that of their
/// answer; what is streamed may go on after that.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Reading, storing and deleting.
    pub data: Duration,
    /// Batches, exports, summaries and erasures.
    pub bulk: Duration,
    /// Questions.
    pub insights: Duration,
}

/// The places of each class of routes.
#[derive(Clone)]
pub struct Admission {
    /// Reading, storing and deleting.
    pub data: Arc<Gate>,
    /// Summaries and erasures, which go through many readings.
    pub walks: Arc<Gate>,
    /// Batches and exports.
    pub bulk: Arc<Gate>,
    /// Questions.
    pub insights: Arc<Gate>,
    /// What bodies may hold that have no place yet.
    pub bodies: BodyBudget,
}

impl Admission {
    /// Places for as many as this machine's cores can bear.
    pub fn sized(deadlines: Deadlines) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let gate = |class, places, deadline| Arc::new(Gate::new(class, places, deadline));
        // Each may hold a body of 8 MiB and what is read from it.
        let bulk = (2 * cores).min(8);
        Self {
            data: gate("data", 128 * cores, deadlines.data),
            walks: gate("walks", 16 * cores, deadlines.bulk),
            bulk: gate("bulk", bulk, deadlines.bulk),
            // These wait for a model most of the time.
            insights: gate("insights", 16 * cores, deadlines.insights),
            bodies: BodyBudget::new(bulk * batch::LARGEST_BODY),
        }
    }
}

/// Lets so many requests in at once; as many more may wait a moment.
pub struct Gate {
    /// Its name in metrics.
    class: &'static str,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    deadline: Duration,
}

impl Gate {
    fn new(class: &'static str, places: usize, deadline: Duration) -> Self {
        Self {
            class,
            places: Arc::new(Semaphore::new(places)),
            waiting: AtomicUsize::new(0),
            most_waiting: places,
            deadline,
        }
    }

    async fn enter(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting::begin(&self.waiting);
        if waiting.before < self.most_waiting {
            let place = Arc::clone(&self.places).acquire_owned();
            if let Ok(Ok(place)) = timeout(PATIENCE, place).await {
                return Ok(place);
            }
        }
        Err(self.shed())
    }

    fn shed(&self) -> ApiError {
        metrics::counter!(names::REQUESTS_SHED.name, "class" => self.class).increment(1);
        ApiError::Overloaded
    }
}

/// Somebody who waits, until they no longer do, for whatever reason.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        let before = count.fetch_add(1, Ordering::Relaxed);
        Self { count, before }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A request to the routes behind a gate.
pub struct Visit {
    gate: Arc<Gate>,
    deadline: Instant,
    /// Held until the answer is given.
    place: OnceLock<OwnedSemaphorePermit>,
}

impl Visit {
    /// The visit of the request with these extensions.
    ///
    /// # Errors
    /// When there is none, as there is for every request with a body.
    pub fn of(extensions: &Extensions) -> Result<&Arc<Self>, ApiError> {
        extensions.get().ok_or(ApiError::Panicked)
    }

    /// Until when the request's body must have arrived.
    pub fn body_deadline(&self) -> Instant {
        self.deadline - SOONER
    }

    /// Takes a place, where there is one in a moment.
    ///
    /// # Errors
    /// When there is none.
    pub async fn begin(&self) -> Result<(), ApiError> {
        let place = self.gate.enter().await?;
        // Nobody takes two.
        let _ = self.place.set(place);
        Ok(())
    }

    /// The error of a request that is refused because the service is at its
    /// limit.
    pub fn shed(&self) -> ApiError {
        self.gate.shed()
    }
}

/// Lets a request through when there is a place for it, and gives it up when its
/// time is over. What is sent by POST takes its place where its body has been
/// read.
pub async fn admit(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let deadline = Instant::now() + gate.deadline;
    let visit = Arc::new(Visit {
        gate,
        deadline,
        place: OnceLock::new(),
    });
    if request.method() != Method::POST
        && let Err(error) = visit.begin().await
    {
        return error.into_response();
    }
    request.extensions_mut().insert(Arc::clone(&visit));
    match timeout_at(deadline, next.run(request)).await {
        // What is streamed keeps its place to the end.
        Ok(response) if response.body().size_hint().exact().is_none() => {
            response.map(|body| Body::new(Guarded::new(body, visit)))
        }
        Ok(response) => response,
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    }
}
