use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower::layer::layer_fn;
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::access_log::AccessLogEntry;
use super::request_id::RequestId;
use super::security_headers::SecurityHeaders;
use crate::http::headers::REQUEST_ID;
use crate::http::problem::{ApiError, error_of, into_problem};
use crate::telemetry::{RequestStats, error_chain};

/// Goes around everything else: gives the request an id, gives an error its
/// body and every answer the headers that belong to it, and has what becomes of
/// it told.
///
/// A service by hand: what `axum` makes of a function copies all services within
/// for each request.
#[derive(Clone)]
pub struct RequestContext<S> {
    inner: S,
    security_headers: SecurityHeaders,
}

impl<S> RequestContext<S> {
    /// Goes around whatever it is laid on.
    pub fn layer(security_headers: SecurityHeaders) -> impl Layer<S, Service = Self> + Clone {
        layer_fn(move |inner| Self {
            inner,
            security_headers,
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
        let id = RequestId::of(&request);
        let facts = Arc::new(RequestStats::default());
        let entry = AccessLogEntry::start(id.clone(), Arc::clone(&facts), &request);
        let extensions = request.extensions_mut();
        extensions.insert(id.clone());
        extensions.insert(Arc::clone(&facts));

        let security_headers = self.security_headers;
        let answer = self.inner.call(request).instrument(entry.span().clone());
        Box::pin(async move {
            let response = facts.serve(answer).await?.into_response();
            Ok(finish(response, id, entry, security_headers))
        })
    }
}

/// Makes of what a handler answers what the client gets.
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
    // That the service is at its limit has no cause to look for, and is counted.
    let is_bug = |error: &Arc<ApiError>| {
        error.status_and_code().0.is_server_error() && !matches!(**error, ApiError::Overloaded)
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
