use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use uuid::Builder;
use uuid::fmt::Hyphenated;

use crate::http::headers::REQUEST_ID;
use crate::http::problem::ApiError;

/// Maximum length of a request id from a client.
const MAX_LEN: usize = 128;

/// Id of a request, also as an extractor for handlers whose response outlives
/// [`RequestContext`](super::RequestContext).
#[derive(Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Returns the client's request id if it is valid, else a random UUID.
    pub fn from_request(request: &Request) -> Self {
        let own = request.headers().get(REQUEST_ID).filter(|id| {
            (1..=MAX_LEN).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        });
        Self(own.cloned().unwrap_or_else(|| {
            // Ids must be unique, not secret, so a fast generator will do.
            let random = fastrand::u128(..).to_ne_bytes();
            let id = Builder::from_random_bytes(random).into_uuid();
            let mut text = [0; Hyphenated::LENGTH];
            let text = id.hyphenated().encode_lower(&mut text);
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
        }))
    }

    /// Returns the value of the response header.
    pub fn into_header(self) -> HeaderValue {
        self.0
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let id = parts.extensions.get().cloned();
        id.ok_or(ApiError::Internal("the route has no request context layer"))
    }
}
