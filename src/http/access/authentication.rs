use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::audit::AuditRecord;
use super::authorized::AccessGrant;
use super::rate_limit::network;
use crate::auth::{Principal, TokenError};
use crate::http::headers::API_KEY;
use crate::http::overload::Owner;
use crate::http::problem::ApiError;
use crate::http::state::AppState;
use crate::telemetry::RequestStats;

/// Authenticates a request by its API key or token, and starts its audit record.
pub async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    match principal(&state, request.headers()).await {
        Ok(principal) => {
            let pseudonymizer = state.pseudonymizer.clone();
            let record = AuditRecord::start(principal, pseudonymizer, &request);
            if let Some(stats) = request.extensions().get::<Arc<RequestStats>>() {
                stats.set_principal(Arc::clone(record.principal_name()));
            }
            let client = state.trusted_proxies.client_ip(&request);
            let owner = Owner::new(record.principal_name(), network(client));
            let grant = Arc::new(AccessGrant::new(record));
            request.extensions_mut().insert(Arc::clone(&grant));
            request.extensions_mut().insert(owner);
            let response = next.run(request).await;
            grant.finish(response.status());
            response
        }
        Err(error) => {
            // Counts if the issuer is unreachable too: a token with an invented
            // key id is indistinguishable from a valid one then.
            let client = state.trusted_proxies.client_ip(&request);
            let limit = state.rate_limits.check_failed_authentication(client);
            let error = limit.err().map_or(error, ApiError::from);
            let mut response = error.into_response();
            if response.status() == StatusCode::UNAUTHORIZED && state.tokens.is_some() {
                let bearer = HeaderValue::from_static("Bearer");
                response.headers_mut().append(WWW_AUTHENTICATE, bearer);
            }
            response
        }
    }
}

/// Returns the principal of a request, which must present exactly one credential.
async fn principal(state: &AppState, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
    let mut keys = headers.get_all(API_KEY).iter();
    // `Authorization` with another scheme, or without a configured issuer, may be
    // meant for a proxy and is ignored.
    let verifier = state.tokens.as_deref();
    let tokens = headers
        .get_all(AUTHORIZATION)
        .iter()
        .filter_map(bearer_token);
    let mut tokens = tokens.filter_map(|token| Some((verifier?, token)));
    let now = state.clock.now();
    match (keys.next(), keys.next(), tokens.next(), tokens.next()) {
        (Some(key), None, None, None) => state
            .api_keys
            .lookup(key.as_bytes(), now)
            .ok_or(ApiError::Unauthorized),
        (None, None, Some((verifier, token)), None) => {
            let verified = verifier.verify(token, now).await;
            verified.map_err(|error| match error {
                TokenError::Invalid => ApiError::Unauthorized,
                TokenError::KeysUnavailable => ApiError::IssuerUnavailable,
            })
        }
        _ => Err(ApiError::Unauthorized),
    }
}

/// Returns the token of `Bearer TOKEN` (RFC 6750).
fn bearer_token(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
