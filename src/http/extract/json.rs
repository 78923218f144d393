use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};

use super::request_body::RequestBody;
use crate::http::access::AccessGrant;
use crate::http::overload::{AdmissionTicket, BufferedBody, MemoryLease, run_blocking};
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Validated JSON body of a request. The principal may act for all users in it.
pub struct Json<T> {
    /// The parsed body.
    pub value: T,
    /// Memory of the body and of what is made from it.
    pub memory: MemoryLease,
}

impl<T: RequestBody> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let grant = Arc::clone(AccessGrant::from_extensions(request.extensions())?);
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        if is_encoded(request.headers()) {
            return Err(ApiError::UnsupportedContentEncoding);
        }
        let ticket = AdmissionTicket::from_extensions(request.extensions())?.clone();
        let body = BufferedBody::read(request, &ticket, T::MAX_BODY_BYTES).await?;
        ticket.take_place().await?;
        let now = state.clock.now();
        let is_small = body.length() <= INLINE_PARSE_MAX_BYTES;
        let parse = move || {
            let (json, memory) = body.into_parts();
            T::parse(&json, now).map(|value| Self { value, memory })
        };
        let read = if is_small {
            parse()?
        } else {
            run_blocking(parse).await??
        };
        read.value
            .users()
            .try_for_each(|user_id| grant.authorize(user_id, T::READINGS_PER_USER))?;
        Ok(read)
    }
}

/// Bodies up to this size are parsed on the runtime's threads, within a tenth of a
/// millisecond; larger ones would delay other requests.
const INLINE_PARSE_MAX_BYTES: usize = 32 * 1024;

/// Returns whether the body is declared as `application/json` or
/// `application/…+json`, with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(declared)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let essence = declared.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| {
        let subtype = subtype.to_ascii_lowercase();
        kind.eq_ignore_ascii_case("application")
            && (subtype == "json" || subtype.ends_with("+json"))
    })
}

/// Returns whether the body has a content encoding such as `gzip`.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
