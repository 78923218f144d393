//! Log line, metrics and span of each request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::{MatchedPath, Request};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::Stream;
use tracing::field::Empty;
use tracing::{Level, Span, info_span};

use super::method_label::method_label;
use super::request_id::RequestId;
use crate::telemetry::metrics::names;
use crate::telemetry::{RequestStats, TraceContext, TraceSource, join_trace};

/// Access log entry of a request, written on drop: with the response if its size
/// is known, else when its stream ends or the client disconnects.
pub struct AccessLogEntry {
    started: Instant,
    id: RequestId,
    method: &'static str,
    /// Template of the route, never the path, which contains user ids.
    route: Option<MatchedPath>,
    stats: Arc<RequestStats>,
    trace_id: Option<u128>,
    span: Span,
    status: Option<StatusCode>,
    code: Option<&'static str>,
    bytes: u64,
    is_complete: bool,
}

impl AccessLogEntry {
    /// Starts the entry of a request.
    pub fn start(id: RequestId, stats: Arc<RequestStats>, request: &Request) -> Self {
        let header = |name| request.headers().get(name).map(|value| value.as_bytes());
        let context = TraceContext::read(header("traceparent"), header("x-amzn-trace-id"));
        let method = method_label(request.method());
        let route = request.extensions().get::<MatchedPath>().cloned();
        let span = span(method, route.as_ref(), context);
        metrics::gauge!(names::REQUESTS_IN_FLIGHT.name).increment(1);
        Self {
            started: Instant::now(),
            id,
            method,
            route,
            stats,
            trace_id: join_trace(&span, context),
            span,
            status: None,
            code: None,
            bytes: 0,
            is_complete: false,
        }
    }

    /// Returns the span in which the request is served.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Records the code of an error response.
    pub fn on_error(&mut self, code: &'static str) {
        self.code = Some(code);
    }

    /// Records the response. The caller must send the returned response, as the
    /// entry travels with its body if that is a stream.
    pub fn on_response(mut self, response: Response) -> Response {
        self.status = Some(response.status());
        let size = response.body().size_hint().exact();
        // The response to a HEAD request has no body, even if that of GET is a
        // stream.
        if let Some(bytes) = size.or((self.method == "HEAD").then_some(0)) {
            self.bytes = bytes;
            self.is_complete = true;
            return response;
        }
        response.map(|body| {
            Body::from_stream(LoggedBody {
                body: body.into_data_stream(),
                entry: self,
            })
        })
    }
}

/// Creates the span of a request, with those attributes of
/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/> that identify
/// no person.
fn span(method: &'static str, route: Option<&MatchedPath>, context: Option<TraceContext>) -> Span {
    let route = route.map_or("none", MatchedPath::as_str);
    let span = info_span!(
        "request",
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        error.type = Empty,
        aws.trace_id = Empty,
    );
    if let Some(context) = context.filter(|context| context.source == TraceSource::Amazon) {
        // Recorded as an attribute, not as the parent: the header of a load
        // balancer may name no parent span.
        span.record("aws.trace_id", tracing::field::display(context));
    }
    span
}

impl Drop for AccessLogEntry {
    fn drop(&mut self) {
        let latency = self.started.elapsed();
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let status = self.status.map(|status| status.as_u16());
        macro_rules! log {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    request_id = self.id.as_str(),
                    method = self.method,
                    route,
                    status,
                    code = self.code,
                    latency_us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX),
                    bytes = self.bytes,
                    interrupted = (!self.is_complete).then_some(true),
                    principal = self.stats.principal(),
                    upstream_attempts = self.stats.upstream_attempts(),
                    trace_id = self.trace_id.map(|id| format!("{id:032x}")),
                    "request"
                )
            };
        }
        // Load balancers probe all day.
        if route.starts_with("/health") && status == Some(200) {
            log!(Level::DEBUG);
        } else {
            log!(Level::INFO);
        }
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
        if let Some(code) = self.code {
            self.span.record("error.type", code);
        }
        if status.is_none_or(|status| status >= 500) {
            self.span.record("otel.status_code", "ERROR");
        }
        let status = self.status.as_ref();
        let status = status.map_or("interrupted", StatusCode::as_str).to_owned();
        metrics::counter!(
            names::REQUESTS.name,
            "method" => self.method, "route" => route.to_owned(), "status" => status
        )
        .increment(1);
        metrics::histogram!(names::REQUEST_DURATION.name, "route" => route.to_owned())
            .record(latency);
        metrics::gauge!(names::REQUESTS_IN_FLIGHT.name).decrement(1);
    }
}

/// Response body of unknown size.
struct LoggedBody {
    body: BodyDataStream,
    entry: AccessLogEntry,
}

impl Stream for LoggedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { body, entry } = self.get_mut();
        let stats = Arc::clone(&entry.stats);
        let polled = {
            let _entered = entry.span.enter();
            stats.scope(|| Pin::new(body).poll_next(context))
        };
        match &polled {
            Poll::Ready(Some(Ok(bytes))) => entry.bytes += bytes.len() as u64,
            Poll::Ready(None) => entry.is_complete = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }
}
