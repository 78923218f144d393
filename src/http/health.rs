//! Whether the service lives, and whether it can do its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

use super::AppState;
use super::error::ApiError;
use super::json::{answer, answer_text};
use crate::store::ReadingStore;
use crate::telemetry::chain;

/// Tell that the service lives.
///
/// It does not ask the database: a service without one is alive, if of no use.
#[utoipa::path(
    get, path = "/health", tag = "health", operation_id = "health", security(()),
    responses((status = 200, description = "It lives.", body = Alive))
)]
pub async fn alive(State(state): State<AppState>) -> Response {
    answer_text(state.liveness_body.0.clone())
}

/// Tell whether the service can do its work.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "It can.", body = Ready),
        (status = 503, description = "It cannot, or is shutting down.", body = Ready)
    )
)]
pub async fn ready(State(state): State<AppState>) -> Result<Response, ApiError> {
    let (is_ready, store) = state.readiness.check().await;
    // The keys that were good before still are: no reason to send nobody here.
    let api_keys = if state.api_keys.is_stale() {
        "stale"
    } else {
        "ok"
    };
    let body = answer(&Ready {
        status: if is_ready { "ready" } else { "not_ready" },
        checks: Checks { store, api_keys },
    })?;
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((status, body).into_response())
}

/// What `/health` answers, which is always the same.
pub struct LivenessBody(Bytes);

impl LivenessBody {
    /// That of a service in this environment.
    ///
    /// # Errors
    /// When it has no JSON form, which is a fault of ours.
    pub fn new(environment: &'static str) -> Result<Self, serde_json::Error> {
        let alive = Alive {
            status: "healthy",
            service: env!("CARGO_PKG_NAME"),
            environment,
            version: env!("CARGO_PKG_VERSION"),
        };
        serde_json::to_vec(&alive).map(|json| Self(json.into()))
    }
}

/// A sign of life.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// Always `healthy`.
    #[schema(example = "healthy")]
    status: &'static str,
    /// Which service this is.
    #[schema(example = "clarity-backend")]
    service: &'static str,
    /// Where it runs.
    #[schema(example = "development")]
    environment: &'static str,
    /// Its version.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// What was looked at.
    checks: Checks,
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
struct Checks {
    /// The store: `ok` or `failing`.
    #[schema(example = "ok")]
    store: &'static str,
    /// The API keys: `ok`, or `stale` when they could not be read again; those
    /// that were good before then stay good, and the service stays ready.
    #[schema(example = "ok")]
    api_keys: &'static str,
}

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
    const VALID_FOR: Duration = Duration::from_secs(1);

    /// How long the store is waited for: less than load balancers wait.
    const PATIENCE: Duration = Duration::from_secs(3);

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
    async fn check(&self) -> (bool, &'static str) {
        let store_is_ok = self.store_is_ok().await;
        let is_ready = store_is_ok && !self.shutting_down.load(Ordering::Relaxed);
        (is_ready, if store_is_ok { "ok" } else { "failing" })
    }

    async fn store_is_ok(&self) -> bool {
        // Held while the store is asked: whoever comes meanwhile waits for the
        // same answer.
        let mut last = self.last.lock().await;
        if let Some((at, is_ok)) = *last
            && at.elapsed() < Self::VALID_FOR
        {
            return is_ok;
        }
        let answer = timeout(Self::PATIENCE, self.store.check()).await;
        let error = match &answer {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(chain(error)),
            Err(elapsed) => Some(chain(elapsed)),
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
