use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;

use crate::http::problem::ApiError;

/// An answer of status 200 with `body` as JSON.
///
/// # Errors
/// When `body` has no JSON form, which is a fault of ours.
pub fn json_response(body: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_vec(body)
        .map(json_bytes_response)
        .map_err(ApiError::Serialization)
}

/// An answer of status 200 whose body is this JSON text.
pub fn json_bytes_response(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
