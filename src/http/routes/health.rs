//! Whether the service lives, and whether it can do its work.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::{json_bytes_response, json_response};
use crate::http::liveness::HealthResponse;
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Tell that the service lives.
///
/// It does not ask the database: a service without one is health, if of no use.
#[utoipa::path(
    get, path = "/health", tag = "health", operation_id = "health", security(()),
    responses((status = 200, description = "It lives.", body = HealthResponse))
)]
pub async fn health(State(state): State<AppState>) -> Response {
    json_bytes_response(state.liveness_body.json())
}

/// Tell whether the service can do its work.
#[utoipa::path(
    get, path = "/health/ready", tag = "health", operation_id = "ready", security(()),
    responses(
        (status = 200, description = "It can.", body = ReadinessResponse),
        (status = 503, description = "It cannot, or is shutting down.", body = ReadinessResponse)
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

/// Whether the service can do its work.
#[derive(Serialize, ToSchema)]
struct ReadinessResponse {
    /// `ready` or `not_ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// What was looked at.
    checks: ReadinessChecks,
}

/// What was looked at.
#[derive(Serialize, ToSchema)]
struct ReadinessChecks {
    /// The store: `ok` or `failing`.
    #[schema(example = "ok")]
    store: &'static str,
    /// The API keys: `ok`, or `stale` when they could not be read again; those
    /// that were good before then stay good, and the service stays ready.
    #[schema(example = "ok")]
    api_keys: &'static str,
}
