//! Liveness and readiness probes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::{json_bytes_response, json_response};
use crate::http::liveness::HealthResponse;
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Check liveness
///
/// Does not check dependencies: restarting the process would not repair the
/// store.
#[utoipa::path(
    get, path = "/health", tag = "health", operation_id = "health", security(()),
    responses((status = 200, description = "The process is running.", body = HealthResponse))
)]
pub async fn health(State(state): State<AppState>) -> Response {
    json_bytes_response(state.liveness_body.json())
}

/// Check readiness
///
/// Load balancers should route requests only to ready instances.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "The service is ready.", body = ReadinessResponse),
        (status = 503, description = "The service is not ready, or is shutting down.", body = ReadinessResponse)
    )
)]
pub async fn ready(State(state): State<AppState>) -> Result<Response, ApiError> {
    let (is_ready, store) = state.readiness.check().await;
    // Keys loaded earlier stay valid, so the service stays ready.
    let api_keys = if state.api_keys.is_stale() {
        "stale"
    } else {
        "ok"
    };
    let body = json_response(&ReadinessResponse {
        status: if is_ready { "ready" } else { "not_ready" },
        checks: ReadinessChecks { store, api_keys },
    })?;
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    Ok((status, body).into_response())
}

/// Readiness of the service.
#[derive(Serialize, ToSchema)]
struct ReadinessResponse {
    /// Readiness, `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Status of each dependency.
    checks: ReadinessChecks,
}

/// Status of the dependencies.
#[derive(Serialize, ToSchema)]
struct ReadinessChecks {
    /// Status of the store, `ok` or `failing`.
    #[schema(example = "ok")]
    store: &'static str,
    /// Status of the API keys, `ok` or `stale`. Stale keys could not be reloaded;
    /// those loaded before stay valid and the service stays ready.
    #[schema(example = "ok")]
    api_keys: &'static str,
}
