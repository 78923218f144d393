//! HTTP API: router, middleware, extractors and handlers.
//!
//! Folders, from the ground up: `problem` (errors as RFC 9457 documents),
//! `overload` (bounds on concurrency, time and memory), `middleware` (layers
//! around every request), `access` (authentication, authorization, rate limits,
//! audit), `extract` (requests as validated types) and `routes` (handlers). A
//! handler parses, calls the store or the insight provider, and maps the result.

mod access;
mod derived_key;
mod extract;
mod headers;
mod liveness;
mod middleware;
mod openapi;
mod overload;
mod problem;
mod readiness;
mod routes;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{delete, get};
use tower::ServiceBuilder;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use access::{Pseudonymizer, RateLimits, RequestsPerMinute, TrustedProxies};
pub use extract::CursorKeys;
pub use liveness::LivenessBody;
pub use middleware::AllowedOrigins;
pub use overload::{AdmissionControl, Deadlines, LeasedStore};
pub use problem::{ERROR_CODES, ErrorCode};
pub use readiness::Readiness;
pub use state::{AppServices, AppState};

use access::authenticate;
use middleware::{RequestContext, SecurityHeaders, connection_error, cors_layer};
use overload::{GuardedBody, RejectionPace, RouteClass, admit};
use problem::ApiError;
use routes::{batch, erasure, export, health, insights, readings, summary};

/// Builds the API over `state`.
///
/// Pages of `allowed_origins` may call it from a browser. With `is_behind_https`,
/// responses carry `Strict-Transport-Security`.
pub fn router(state: AppState, allowed_origins: &AllowedOrigins, is_behind_https: bool) -> Router {
    let (routes, document) = documented_routes(&state).split_for_parts();
    // One layer instead of three: axum boxes and clones each layer of a router
    // for every request.
    let outer_layers = ServiceBuilder::new()
        // Assigns the request id, renders errors, logs and counts the response.
        .layer(RequestContext::layer(
            SecurityHeaders { is_behind_https },
            Arc::new(RejectionPace::for_cores()),
        ))
        // Answers preflight requests, which carry no credential.
        .layer(cors_layer(allowed_origins))
        // Turns a panic into a 500, so that it is logged and counted too.
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(ApiError::Panicked)
        }));
    routes
        // OpenAPI document and page, for developers; constant and without limit.
        .merge(openapi::routes(&document))
        .fallback(async || ApiError::RouteNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(outer_layers)
        .with_state(state)
}

/// Returns the function that makes the responses to requests that cannot be parsed,
/// by status.
pub fn connection_errors(
    state: AppState,
    is_behind_https: bool,
) -> impl Fn(StatusCode) -> Response<Bytes> + Send + Sync + 'static {
    let security_headers = SecurityHeaders { is_behind_https };
    move |status| connection_error(status, &*state.clock, security_headers)
}

/// Builds the routes that the OpenAPI document describes, grouped by their limit
/// on concurrency.
fn documented_routes(state: &AppState) -> OpenApiRouter<AppState> {
    // Probes of load balancers and orchestrators: no credential and no limit, as
    // they must be answered under overload.
    let public = OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready));
    let admission = &state.admission;
    let admitted = |class: &Arc<RouteClass>| from_fn_with_state(Arc::clone(class), admit);
    // Apps that sync and show readings: short requests, many at a time. Writes and
    // reads are classes of their own, so that a flood of one leaves the other its places.
    let writes = OpenApiRouter::new()
        .routes(routes!(readings::create))
        .routes(routes!(readings::delete))
        .layer(admitted(&admission.writes));
    let reads = OpenApiRouter::new()
        .routes(routes!(readings::list))
        .routes(routes!(readings::read))
        .layer(admitted(&admission.reads));
    // Backups and spreadsheets: the largest responses, so they are compressed.
    let exports = OpenApiRouter::new()
        .routes(routes!(export::export))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        // Compressed chunks may be so small that the connection would buffer any number
        // of them at once.
        .layer(map_response(async |response: Response<Body>| {
            response.map(|body| Body::new(GuardedBody::new(body, ())))
        }));
    // Dashboards, exports and erasures: one request reads or deletes many
    // readings, so fewer run at a time and they may take longer.
    let scans = OpenApiRouter::new()
        .routes(routes!(summary::summarize))
        .routes(routes!(erasure::erase_user))
        .merge(exports)
        .layer(admitted(&admission.scans));
    // Importers and backends: bodies of up to 8 MiB and CPU-bound parsing, so
    // very few at a time.
    let batches = OpenApiRouter::new()
        .routes(routes!(batch::create))
        .layer(admitted(&admission.batches));
    // Questions of users: mostly waiting for a model, hence many at a time, under a
    // deadline of their own.
    let insights = OpenApiRouter::new()
        .routes(routes!(insights::create))
        .layer(admitted(&admission.insights));
    let (private, description) = writes
        .merge(reads)
        .merge(scans)
        .merge(batches)
        .merge(insights)
        .split_for_parts();
    let private = private
        // `batch` is also a valid user id, so its other methods are those of
        // `/data/{user_id}`.
        .route(
            "/data/batch",
            get(readings::list).layer(admitted(&admission.reads)),
        )
        .route(
            "/data/batch",
            delete(erasure::erase_user).layer(admitted(&admission.scans)),
        )
        .fallback(async || ApiError::RouteNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        // Outside the fallbacks, so that unknown paths require a credential too.
        .layer(from_fn_with_state(state.clone(), authenticate));
    let mut private = OpenApiRouter::from(private);
    *private.get_openapi_mut() = description;
    OpenApiRouter::with_openapi(openapi::description())
        .merge(public)
        .nest("/api/v1", private)
}
