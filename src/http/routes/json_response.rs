use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;

use crate::http::problem::ApiError;

/// Serializes `body` into a response with the status 200.
///
/// # Errors
/// Fails if serialization fails, which is a bug.
pub fn json_response(body: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_vec(body)
        .map(json_bytes_response)
        .map_err(ApiError::Serialization)
}

/// Builds a response with the status 200 from JSON text.
pub fn json_bytes_response(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
