use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use tokio::task::spawn_blocking;

use super::request_body::RequestBody;
use crate::http::access::AccessGrant;
use crate::http::overload::{AdmissionTicket, BufferedBody, DEFAULT_MAX_BODY_BYTES};
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Validated JSON body of a request. The principal may act for all users in it.
pub struct Json<T>(pub T);

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
        let ticket = Arc::clone(AdmissionTicket::from_extensions(request.extensions())?);
        let body = BufferedBody::read(request, &ticket, T::MAX_BODY_BYTES).await?;
        ticket.acquire_permit().await?;
        let now = state.clock.now();
        let read = if body.bytes().len() <= INLINE_PARSE_MAX_BYTES {
            T::parse(body.bytes(), now)?
        } else {
            match spawn_blocking(move || T::parse(body.bytes(), now)).await {
                Ok(read) => read?,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(ApiError::Internal("parsing the body was cancelled")),
            }
        };
        read.users()
            .try_for_each(|user_id| grant.authorize(user_id, T::READINGS_PER_USER))?;
        Ok(Self(read))
    }
}

/// Bodies up to this size are parsed on the runtime's threads; larger ones would
/// delay other requests.
const INLINE_PARSE_MAX_BYTES: usize = DEFAULT_MAX_BODY_BYTES;

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
