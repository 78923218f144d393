use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use uuid::Uuid;

use super::error::{self, ApiError};
use super::request_record::RequestRecord;
use crate::telemetry::{RequestFacts, chain};

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
/// body, and has what becomes of it told.
pub async fn handle(mut request: Request, next: Next) -> Response {
    let id = request_id(&request);
    let facts = Arc::new(RequestFacts::default());
    let mut record = RequestRecord::begin(RequestId(id.clone()), Arc::clone(&facts), &request);
    let extensions = request.extensions_mut();
    extensions.insert(RequestId(id.clone()));
    extensions.insert(Arc::clone(&facts));

    let answer = next.run(request).instrument(record.span().clone());
    let mut response = facts.serve(answer).await;

    let id_text = id.to_str().unwrap_or_default();
    let error = error::behind(&response);
    if let Some(error) = &error {
        error::render(&mut response, error, id_text);
        record.failed(error.status_and_code().1);
    }
    // That the service is at its limit has no cause to look for, and is counted.
    let is_fault = |error: &Arc<ApiError>| {
        error.status_and_code().0.is_server_error() && !matches!(**error, ApiError::Overloaded)
    };
    if let Some(error) = error.filter(is_fault) {
        let cause = chain(&*error);
        tracing::error!(request_id = id_text, cause, "request failed");
    }
    response.headers_mut().insert(REQUEST_ID, id);
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
