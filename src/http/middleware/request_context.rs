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

/// Outermost service: assigns the request id, renders errors, adds headers and
/// writes the access log.
///
/// Implemented by hand, as `axum::middleware::from_fn` clones the inner services
/// for each request.
#[derive(Clone)]
pub struct RequestContext<S> {
    inner: S,
    security_headers: SecurityHeaders,
}

impl<S> RequestContext<S> {
    /// Returns the layer.
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
        let id = RequestId::from_request(&request);
        let stats = Arc::new(RequestStats::default());
        let entry = AccessLogEntry::start(id.clone(), Arc::clone(&stats), &request);
        let extensions = request.extensions_mut();
        extensions.insert(id.clone());
        extensions.insert(Arc::clone(&stats));

        let security_headers = self.security_headers;
        let response = self.inner.call(request).instrument(entry.span().clone());
        Box::pin(async move {
            let response = stats.serve(response).await?.into_response();
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
