use std::io::IoSlice;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{Response, StatusCode};

/// Renders the responses to requests that cannot be parsed and thus never reach the
/// router.
#[derive(Clone)]
pub struct ConnectionErrors(Arc<dyn Fn(StatusCode) -> Response<Bytes> + Send + Sync>);

impl ConnectionErrors {
    /// Wraps the function that makes the response for a status: 400, 408 or 431.
    pub fn new(render: impl Fn(StatusCode) -> Response<Bytes> + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }

    /// Returns the serialized response, after which the connection is closed.
    pub fn render(&self, status: StatusCode) -> Vec<u8> {
        let (head, body) = (self.0)(status).into_parts();
        let mut message = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
        for (name, value) in &head.headers {
            message.extend_from_slice(name.as_str().as_bytes());
            message.extend_from_slice(b": ");
            message.extend_from_slice(value.as_bytes());
            message.extend_from_slice(b"\r\n");
        }
        let end = format!(
            "content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        message.extend_from_slice(end.as_bytes());
        message.extend_from_slice(&body);
        message
    }
}

/// Beginnings of the responses that hyper sends by itself. It also has 414, for URLs
/// above 64 KiB, but a header of that size is a 431 here.
const BARE_ERRORS: [(StatusCode, &[u8]); 2] = [
    (StatusCode::BAD_REQUEST, b"HTTP/1.1 400 "),
    (
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        b"HTTP/1.1 431 ",
    ),
];

/// Far above the size of such a response, which is status line, length and date.
const MAX_BARE_ERROR_BYTES: usize = 256;

/// Returns the status of a response that hyper has made by itself. It is written at
/// once and has no body; responses of the service have one and a content type.
pub fn bare_error(buffers: &[IoSlice<'_>]) -> Option<StatusCode> {
    let mut buffers = buffers.iter().filter(|buffer| !buffer.is_empty());
    let head = buffers.next()?;
    let (status, _) = BARE_ERRORS
        .into_iter()
        .find(|(_, start)| head.starts_with(start))?;
    let is_bare = buffers.next().is_none()
        && head.len() <= MAX_BARE_ERROR_BYTES
        && head.ends_with(b"\r\n\r\n")
        && contains(head, b"\r\ncontent-length: 0\r\n")
        && !contains(head, b"\r\ncontent-type: ");
    is_bare.then_some(status)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
