//! How many requests are served at once, and how long each may take: what is
//! more than the service can bear is refused at once, so that what it takes on
//! is answered in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Extensions;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Body as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::error::ApiError;
use super::guarded::Guarded;

/// How long a request may wait for a place.
const PATIENCE: Duration = Duration::from_millis(30);

/// Until when a request must be answered.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Until when the body of the request with these extensions must have
    /// arrived: a moment sooner, so that its sender learns that it was the body.
    ///
    /// # Errors
    /// When it was not admitted, as every request with a body is.
    pub fn of_body(extensions: &Extensions) -> Result<Instant, ApiError> {
        let Self(deadline) = extensions.get().ok_or(ApiError::Panicked)?;
        Ok(*deadline - SOONER)
    }
}

/// How much sooner the body must have arrived than the request be answered.
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
}

impl Admission {
    /// Places for as many as this machine's cores can bear.
    pub fn sized(deadlines: Deadlines) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let gate = |places, deadline| Arc::new(Gate::new(places, deadline));
        Self {
            data: gate(128 * cores, deadlines.data),
            walks: gate(16 * cores, deadlines.bulk),
            // Each may hold a body of 8 MiB and what is read from it.
            bulk: gate((2 * cores).min(8), deadlines.bulk),
            // These wait for a model most of the time.
            insights: gate(16 * cores, deadlines.insights),
        }
    }
}

/// Lets so many requests in at once; as many more may wait a moment.
pub struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    deadline: Duration,
}

impl Gate {
    fn new(places: usize, deadline: Duration) -> Self {
        Self {
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
        if waiting.before >= self.most_waiting {
            return Err(ApiError::Overloaded);
        }
        let place = Arc::clone(&self.places).acquire_owned();
        match timeout(PATIENCE, place).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(ApiError::Overloaded),
        }
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

/// Lets a request through when there is a place for it, and gives it up when its
/// time is over.
pub async fn admit(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let place = match gate.enter().await {
        Ok(place) => place,
        Err(error) => return error.into_response(),
    };
    let deadline = Instant::now() + gate.deadline;
    request.extensions_mut().insert(Deadline(deadline));
    match timeout_at(deadline, next.run(request)).await {
        // What is streamed keeps its place to the end.
        Ok(response) if response.body().size_hint().exact().is_none() => {
            response.map(|body| Body::new(Guarded::new(body, place)))
        }
        Ok(response) => response,
        Err(_) => ApiError::DeadlineExceeded.into_response(),
    }
}
