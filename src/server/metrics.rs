use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use crate::telemetry::Metrics;

/// Media type of the Prometheus text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Builds the router of the metrics listener, `GET /metrics`. It has a port of
/// its own, as metrics must not be public.
pub fn metrics_router(metrics: Metrics) -> Router {
    let render = async move || ([(CONTENT_TYPE, TEXT)], metrics.render());
    Router::new().route("/metrics", get(render))
}
