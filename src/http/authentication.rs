use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;
use super::error::ApiError;

const HEADER: &str = "x-api-key";

/// Lets a request pass that bears a key, and no other.
pub async fn require_api_key(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    let mut presented = request.headers().get_all(HEADER).iter();
    match (presented.next(), presented.next()) {
        (Some(key), None) if state.api_keys.match_one(key.as_bytes()) => next.run(request).await,
        _ => ApiError::Unauthorized.into_response(),
    }
}
