use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONNECTION, DATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use jiff::fmt::rfc2822::DateTimePrinter;
use tower::layer::layer_fn;
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::access_log::AccessLogEntry;
use super::framing::check_framing;
use super::request_id::RequestId;
use super::security_headers::SecurityHeaders;
use crate::domain::Clock;
use crate::http::headers::REQUEST_ID;
use crate::http::overload::RejectionPace;
use crate::http::problem::{ApiError, error_of, into_problem};
use crate::telemetry::{RequestStats, error_chain};

/// Outermost service: assigns the request id, renders errors, adds headers and
/// writes the access log.
///
/// Implemented by hand, as `axum::middleware::from_fn` clones the inner services
/// for each request.
#[derive(Clone)]
pub struct RequestContext<S> {
    inner: S,
    security_headers: SecurityHeaders,
    rejections: Arc<RejectionPace>,
}

impl<S> RequestContext<S> {
    /// Returns the layer.
    pub fn layer(
        security_headers: SecurityHeaders,
        rejections: Arc<RejectionPace>,
    ) -> impl Layer<S, Service = Self> + Clone {
        layer_fn(move |inner| Self {
            inner,
            security_headers,
            rejections: Arc::clone(&rejections),
        })
    }
}

impl<S> Service<Request> for RequestContext<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let id = RequestId::from_request(&request);
        let stats = Arc::new(RequestStats::default());
        let entry = AccessLogEntry::start(id.clone(), Arc::clone(&stats), &request);
        let extensions = request.extensions_mut();
        extensions.insert(id.clone());
        extensions.insert(Arc::clone(&stats));

        let security_headers = self.security_headers;
        if let Err(error) = check_framing(&request) {
            let mut response = finish(error.into_response(), id, entry, security_headers);
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            return Box::pin(async move { Ok(response) });
        }
        let rejections = Arc::clone(&self.rejections);
        let response = self.inner.call(request).instrument(entry.span().clone());
        Box::pin(async move {
            let response = stats.serve(response).await?.into_response();
            // Callers without a valid credential are not delayed: they could occupy all
            // connections.
            let is_rejected = error_of(&response).is_some_and(|error| error.is_rejection());
            if is_rejected && stats.principal().is_some() {
                rejections.wait().await;
            }
            Ok(finish(response, id, entry, security_headers))
        })
    }
}

/// Turns the response of the inner service into that of the client.
fn finish(
    mut response: Response,
    id: RequestId,
    mut entry: AccessLogEntry,
    security_headers: SecurityHeaders,
) -> Response {
    let error = error_of(&response);
    if let Some(error) = &error {
        into_problem(&mut response, error, id.as_str());
        entry.on_error(error.status_and_code().1);
    }
    // A shed request has no cause to look for, and is counted.
    let is_bug = |error: &Arc<ApiError>| {
        error.status_and_code().0.is_server_error()
            && !matches!(
                **error,
                ApiError::Overloaded | ApiError::UnsupportedTransferEncoding
            )
    };
    if let Some(error) = error.filter(is_bug) {
        let cause = error_chain(&*error);
        tracing::error!(request_id = id.as_str(), cause, "request failed");
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.into_header());
    security_headers.add_to(headers);
    entry.on_response(response)
}

/// Returns the response to a request that was not parsed, and thus never reaches
/// [`RequestContext`]; logs and counts it.
pub fn connection_error(
    status: StatusCode,
    clock: &dyn Clock,
    security_headers: SecurityHeaders,
) -> Response<Bytes> {
    let error = match status {
        StatusCode::REQUEST_TIMEOUT => ApiError::HeaderTimeout,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ApiError::HeaderTooLarge,
        _ => ApiError::MalformedRequest,
    };
    let mut request = Request::new(Body::empty());
    // The client's method is unknown, and this is none of the standard ones.
    if let Ok(method) = Method::from_bytes(b"UNKNOWN") {
        *request.method_mut() = method;
    }
    let id = RequestId::from_request(&request);
    let entry = AccessLogEntry::start(id.clone(), Arc::default(), &request);
    let mut response = finish(error.into_response(), id, entry, security_headers);
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&clock.now());
    if let Some(date) = date.ok().and_then(|date| date.parse().ok()) {
        response.headers_mut().insert(DATE, date);
    }
    response.map(|body| {
        // A problem document is complete, so this does not wait.
        let body = to_bytes(body, usize::MAX).now_or_never();
        body.and_then(Result::ok).unwrap_or_default()
    })
}
