use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower::layer::layer_fn;
use tower::{Layer, Service};
use tracing::Instrument as _;
use uuid::Builder;
use uuid::fmt::Hyphenated;

use super::error::{self, ApiError};
use super::request_record::RequestRecord;
use super::security_headers::SecurityHeaders;
use crate::telemetry::{RequestFacts, chain};

/// What the id of a request travels in.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a client's own that is kept.
const LONGEST: usize = 128;

/// The id of a request, for a handler whose answer outlives
/// [`RequestContext`].
#[derive(Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own id where it is fit to be kept, else a new one.
    fn of(request: &Request) -> Self {
        let own = request.headers().get(REQUEST_ID).filter(|id| {
            (1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        });
        Self(own.cloned().unwrap_or_else(|| {
            // It is to be unlike others, not secret: no need to ask the system.
            let random = fastrand::u128(..).to_ne_bytes();
            let id = Builder::from_random_bytes(random).into_uuid();
            let mut text = [0; Hyphenated::LENGTH];
            let text = id.hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        }))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        parts.extensions.get().cloned().ok_or(ApiError::Panicked)
    }
}

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
        let facts = Arc::new(RequestFacts::default());
        let record = RequestRecord::begin(id.clone(), Arc::clone(&facts), &request);
        let extensions = request.extensions_mut();
        extensions.insert(id.clone());
        extensions.insert(Arc::clone(&facts));

        let security_headers = self.security_headers;
        let answer = self.inner.call(request).instrument(record.span().clone());
        Box::pin(async move {
            let response = facts.serve(answer).await?.into_response();
            Ok(finish(response, id, record, security_headers))
        })
    }
}

/// Makes of what a handler answers what the client gets.
fn finish(
    mut response: Response,
    id: RequestId,
    mut record: RequestRecord,
    security_headers: SecurityHeaders,
) -> Response {
    let error = error::behind(&response);
    if let Some(error) = &error {
        error::render(&mut response, error, id.as_str());
        record.failed(error.status_and_code().1);
    }
    // That the service is at its limit has no cause to look for, and is counted.
    let is_fault = |error: &Arc<ApiError>| {
        error.status_and_code().0.is_server_error() && !matches!(**error, ApiError::Overloaded)
    };
    if let Some(error) = error.filter(is_fault) {
        let cause = chain(&*error);
        tracing::error!(request_id = id.as_str(), cause, "request failed");
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.0);
    security_headers.add_to(headers);
    record.answered(response)
}

/// The method's name, unless the client made one up.
pub fn known(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    METHODS
        .into_iter()
        .find(|name| method == name)
        .unwrap_or("other")
}
