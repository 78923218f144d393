use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde::Serialize;

use crate::http::overload::{AdmissionControl, AdmissionTicket, GuardedBody, MemoryLease};
use crate::http::problem::ApiError;

/// Size up to which a response takes no memory of a pool while it is sent: that of the
/// connection is enough.
const SMALL_RESPONSE_BYTES: usize = 16 * 1024;

/// Serializes `body` into a response with the status 200.
///
/// # Errors
/// Fails if serialization fails, which is a bug.
pub fn json_response(body: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_vec(body)
        .map(json_bytes_response)
        .map_err(ApiError::Serialization)
}

/// Serializes `body` into a response with the status 200, which holds its part of
/// `memory` until it is sent.
///
/// # Errors
/// Fails if serialization fails, which is a bug.
pub fn large_json_response(
    body: &impl Serialize,
    memory: MemoryLease,
) -> Result<Response, ApiError> {
    let json = serde_json::to_vec(body).map_err(ApiError::Serialization)?;
    Ok(response_holding(json, memory))
}

/// Builds a response with the status 200 from JSON text, with memory until it is sent.
///
/// # Errors
/// Fails if the memory does not become available until the deadline.
pub async fn leased_json_response(
    json: Vec<u8>,
    admission: &AdmissionControl,
    ticket: &AdmissionTicket,
) -> Result<Response, ApiError> {
    if json.len() <= SMALL_RESPONSE_BYTES {
        return Ok(json_bytes_response(json));
    }
    let memory = admission.lease_response(json.capacity(), ticket).await?;
    Ok(response_holding(json, memory))
}

fn response_holding(json: Vec<u8>, mut memory: MemoryLease) -> Response {
    if json.len() <= SMALL_RESPONSE_BYTES {
        return json_bytes_response(json);
    }
    memory.shrink_to(json.capacity());
    json_bytes_response(Body::new(GuardedBody::new(Body::from(json), memory)))
}

/// Builds a response with the status 200 from JSON text.
pub fn json_bytes_response(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
