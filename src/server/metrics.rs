use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

use crate::telemetry::Metrics;

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What Prometheus asks for, at `/metrics`: on a port of its own, as the world
/// may not see it.
pub fn metrics_router(metrics: Metrics) -> Router {
    let render = async move || ([(CONTENT_TYPE, TEXT)], metrics.render());
    Router::new().route("/metrics", get(render))
}
