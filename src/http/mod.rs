//! The service as its clients see it.
//!
//! A request passes `request_context` (an id, and the body of every error; what
//! becomes of it is told by its `request_record`), `authentication` and
//! `admission`, and then a handler, which is one of the functions named in
//! [`router`]: it extracts, calls the store or the insight provider, and answers.

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
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use access::{Pseudonymizer, RateLimits, RequestsPerMinute, TrustedProxies};
pub use extract::CursorKeys;
pub use liveness::LivenessBody;
pub use middleware::AllowedOrigins;
pub use overload::{AdmissionControl, Deadlines, LeasedStore, SchedulerLag};
pub use readiness::Readiness;
pub use state::{AppServices, AppState};

use access::authenticate;
use middleware::{RequestContext, SecurityHeaders, cors_layer};
use overload::{ConcurrencyLimit, RouteLimit, admit};
use problem::ApiError;
use routes::{batch, erasure, export, health, insights, readings, summary};

/// The service over `state`, which pages from `allowed_origins` may talk to, and
/// whose clients reach it by HTTPS alone if it `is_behind_https`.
pub fn router(state: AppState, allowed_origins: &AllowedOrigins, is_behind_https: bool) -> Router {
    let (routes, document) = documented_routes(&state).split_for_parts();
    // One layer, as each of a router's is copied with all within it, and put
    // into memory of its own, for every request.
    let outer_layers = ServiceBuilder::new()
        .layer(RequestContext::layer(SecurityHeaders { is_behind_https }))
        .layer(cors_layer(allowed_origins))
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(ApiError::Panicked)
        }));
    routes
        .merge(openapi::routes(&document))
        .fallback(async || ApiError::RouteNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(outer_layers)
        .with_state(state)
}

/// Every route that the OpenAPI description names.
fn documented_routes(state: &AppState) -> OpenApiRouter<AppState> {
    let public = OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::ready));
    let admitted = |limit: &Arc<ConcurrencyLimit>| {
        from_fn_with_state(RouteLimit::new(&state.admission, limit), admit)
    };
    let data = OpenApiRouter::new()
        .routes(routes!(readings::create))
        .routes(routes!(readings::list))
        .routes(routes!(readings::read, readings::delete))
        .layer(admitted(&state.admission.data));
    let exports = OpenApiRouter::new()
        .routes(routes!(export::export))
        .layer(CompressionLayer::new());
    let scans = OpenApiRouter::new()
        .routes(routes!(summary::summarize))
        .routes(routes!(erasure::erase_user))
        .merge(exports)
        .layer(admitted(&state.admission.scans));
    let batches = OpenApiRouter::new()
        .routes(routes!(batch::create))
        .layer(admitted(&state.admission.batches));
    let insights = OpenApiRouter::new()
        .routes(routes!(insights::create))
        .layer(admitted(&state.admission.insights));
    let (private, description) = data
        .merge(scans)
        .merge(batches)
        .merge(insights)
        .split_for_parts();
    let private = private
        // A user may be called so too.
        .route(
            "/data/batch",
            get(readings::list).layer(admitted(&state.admission.data)),
        )
        .route(
            "/data/batch",
            delete(erasure::erase_user).layer(admitted(&state.admission.scans)),
        )
        .fallback(async || ApiError::RouteNotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        // Around the fallbacks too, so that they ask for a key.
        .layer(from_fn_with_state(state.clone(), authenticate));
    let mut private = OpenApiRouter::from(private);
    *private.get_openapi_mut() = description;
    OpenApiRouter::with_openapi(openapi::description())
        .merge(public)
        .nest("/api/v1", private)
}
