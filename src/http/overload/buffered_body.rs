use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures_util::TryStreamExt as _;
use tokio::time::timeout_at;

use super::admission::AdmissionTicket;
use super::memory_pool::MemoryLease;
use crate::http::problem::ApiError;

/// Most bodies fit, so few reallocate.
const INITIAL_CAPACITY: usize = 1024;

/// Request body, read completely.
///
/// Its memory counts against the budget of the route class until it is dropped:
/// by the bytes that have arrived, not by `Content-Length`, so a slow sender
/// holds little.
pub struct BufferedBody {
    bytes: Vec<u8>,
    _memory: Option<MemoryLease>,
}

impl BufferedBody {
    /// Reads the body of a request, at most `max_bytes`, before the deadline of
    /// its ticket.
    ///
    /// # Errors
    /// Fails if the body is too large, incomplete or too slow, or the budget of the
    /// route class is exhausted.
    pub async fn read(
        request: Request,
        ticket: &AdmissionTicket,
        max_bytes: usize,
    ) -> Result<Self, ApiError> {
        let body = request.into_body();
        if body.size_hint().lower() > max_bytes as u64 {
            return Err(ApiError::BodyTooLarge(max_bytes));
        }
        timeout_at(
            ticket.body_deadline(),
            Self::collect(body, ticket, max_bytes),
        )
        .await
        .map_err(|_| ApiError::BodyTimeout)?
    }

    async fn collect(
        body: Body,
        ticket: &AdmissionTicket,
        max_bytes: usize,
    ) -> Result<Self, ApiError> {
        let mut bytes = Vec::with_capacity(INITIAL_CAPACITY);
        let mut memory: Option<MemoryLease> = None;
        let mut parts = body.into_data_stream();
        let interrupted = |_| ApiError::IncompleteBody;
        while let Some(part) = parts.try_next().await.map_err(interrupted)? {
            if part.len() > max_bytes - bytes.len() {
                return Err(ApiError::BodyTooLarge(max_bytes));
            }
            let reserved = ticket.reserve_for_body(part.len())?;
            match &mut memory {
                Some(memory) => memory.merge(reserved),
                None => memory = Some(reserved),
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Self {
            bytes,
            _memory: memory,
        })
    }

    /// Returns the bytes of the body.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
