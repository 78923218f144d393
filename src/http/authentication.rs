use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::audit::AuditRecord;
use super::error::ApiError;
use super::permission::Access;
use crate::auth::Principal;

const HEADER: &str = "x-api-key";

/// Lets a request pass that bears a key, and no other.
pub async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Response {
    match principal(&state, request.headers()) {
        Ok(principal) => {
            let pseudonyms = state.pseudonyms.clone();
            let record = AuditRecord::begin(Arc::clone(&principal), pseudonyms, &request);
            let access = Arc::new(Access::new(principal, record));
            request.extensions_mut().insert(Arc::clone(&access));
            let response = next.run(request).await;
            access.answered(response.status());
            response
        }
        Err(error) => {
            let client = state.trusted_proxies.client_of(&request);
            let limit = state.limits.take_failed_authentication(client);
            limit.err().unwrap_or(error).into_response()
        }
    }
}

/// Who sends these headers.
fn principal(state: &AppState, headers: &HeaderMap) -> Result<Arc<Principal>, ApiError> {
    let mut presented = headers.get_all(HEADER).iter();
    match (presented.next(), presented.next()) {
        (Some(key), None) => state.api_keys.find(key.as_bytes(), state.clock.now()),
        _ => None,
    }
    .ok_or(ApiError::Unauthorized)
}
