//! The service as its clients see it.
//!
//! A request passes `request_context` (an id, and the body of every error; what
//! becomes of it is told by its `request_record`), `authentication` and
//! `admission`, and then a handler, which is one of the functions named in
//! [`router`]: it extracts, calls the store or the insight provider, and answers.

mod admission;
mod arriving_body;
mod audit;
mod authentication;
mod batch;
mod batch_result;
mod byte_budget;
mod client_address;
mod cors;
mod cursor;
mod derived_key;
mod docs;
mod erasure;
mod error;
mod export;
mod export_format;
mod filters;
mod guarded;
mod headers;
mod health;
mod insight_events;
mod insights;
mod json;
mod json_response;
mod lateness;
mod limits;
mod list_parameters;
mod liveness;
mod measurement;
mod method_label;
mod metrics;
mod path;
mod permission;
mod rate_limited;
mod readiness;
mod readings;
mod request_body;
mod request_context;
mod request_id;
mod request_record;
mod security_headers;
mod sizes;
mod state;
mod summary;
mod summary_parameters;
mod validation;

use std::sync::Arc;

use axum::routing::{delete, get};
use axum::{Router, middleware};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use admission::{AdmissionControl, Deadlines};
pub use audit::Pseudonymizer;
pub use client_address::TrustedProxies;
pub use cors::AllowedOrigins;
pub use cursor::CursorKeys;
pub use lateness::SchedulerLag;
pub use limits::{RateLimits, RequestsPerMinute};
pub use liveness::LivenessBody;
pub use metrics::metrics_router;
pub use readiness::Readiness;
pub use state::{AppServices, AppState};

use admission::{Class, ConcurrencyLimit, admit};
use error::ApiError;
use request_context::RequestContext;
use security_headers::SecurityHeaders;

/// The service over `state`, which pages from `allowed_origins` may talk to, and
/// whose clients reach it by HTTPS alone if it `is_behind_https`.
pub fn router(state: AppState, allowed_origins: &AllowedOrigins, is_behind_https: bool) -> Router {
    let (routes, document) = documented_routes(&state).split_for_parts();
    // One layer, as each of a router's is copied with all within it, and put
    // into memory of its own, for every request.
    let around_everything = ServiceBuilder::new()
        .layer(RequestContext::layer(SecurityHeaders { is_behind_https }))
        .layer(cors::layer(allowed_origins))
        .layer(CatchPanicLayer::custom(|_| {
            axum::response::IntoResponse::into_response(ApiError::Panicked)
        }));
    routes
        .merge(docs::routes(&document))
        .fallback(async || ApiError::UnknownPath)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(around_everything)
        .with_state(state)
}

/// Every route that the OpenAPI description names.
fn documented_routes(state: &AppState) -> OpenApiRouter<AppState> {
    let public = OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::ready));
    let admitted = |limit: &Arc<ConcurrencyLimit>| {
        middleware::from_fn_with_state(Class::new(&state.admission, limit), admit)
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
        .fallback(async || ApiError::UnknownPath)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        // Around the fallbacks too, so that they ask for a key.
        .layer(middleware::from_fn_with_state(
            state.clone(),
            authentication::authenticate,
        ));
    let mut private = OpenApiRouter::from(private);
    *private.get_openapi_mut() = description;
    OpenApiRouter::with_openapi(docs::description())
        .merge(public)
        .nest("/api/v1", private)
}
