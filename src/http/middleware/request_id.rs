use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderValue;
use axum::http::request::Parts;
use uuid::Builder;
use uuid::fmt::Hyphenated;

use crate::http::headers::REQUEST_ID;
use crate::http::problem::ApiError;

/// The longest id of a client's own that is kept.
const LONGEST: usize = 128;

/// The id of a request, for a handler whose answer outlives
/// its handler.
#[derive(Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's own id where it is fit to be kept, else a new one.
    pub fn of(request: &Request) -> Self {
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

    /// The value of its header.
    pub fn into_header(self) -> HeaderValue {
        self.0
    }

    /// Its text.
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
