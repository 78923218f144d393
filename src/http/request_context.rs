use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::error::{self, ApiError};
use crate::telemetry::chain;

/// What the id of a request travels in.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a client's own that is kept.
const LONGEST: usize = 128;

/// The id of a request, for a handler whose answer outlives [`handle`].
#[derive(Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
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
/// body, and logs one line.
pub async fn handle(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let method = known(request.method());
    // The template, never the path itself, which names a person.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);

    request.extensions_mut().insert(RequestId(id.clone()));

    let mut response = next.run(request).await;

    let id_text = id.to_str().unwrap_or_default();
    let error = error::behind(&response);
    if let Some(error) = &error {
        error::render(&mut response, error, id_text);
    }
    let status = response.status();
    let code = error.as_ref().map(|error| error.status_and_code().1);
    if let Some(error) = error.filter(|_| status.is_server_error()) {
        let cause = chain(&*error);
        tracing::error!(request_id = id_text, cause, "request failed");
    }
    tracing::info!(
        request_id = id_text,
        method,
        route,
        status = status.as_u16(),
        code,
        latency_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
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

/// The client's own id where it is fit to be kept, else a new one.
fn request_id(request: &Request) -> HeaderValue {
    request
        .headers()
        .get(REQUEST_ID)
        .filter(|id| {
            (1..=LONGEST).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        })
        .cloned()
        .unwrap_or_else(|| {
            let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
            let text = Uuid::new_v4().hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        })
}
