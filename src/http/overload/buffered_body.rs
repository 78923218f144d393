use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures_util::TryStreamExt as _;
use tokio::time::timeout_at;

use super::load_shed::AdmissionTicket;
use super::memory_pool::MemoryLease;
use crate::http::problem::ApiError;

/// What max_bytes bodies are smaller than, in bytes.
const INITIAL_CAPACITY: usize = 1024;

/// A body that has arrived.
///
/// It takes of the memory of its class until it is dropped, by what has come of
/// it, not by what was announced: whoever sends slowly holds little.
pub struct BufferedBody {
    bytes: Vec<u8>,
    _memory: Option<MemoryLease>,
}

impl BufferedBody {
    /// Waits for the body of a request, of `max_bytes` bytes at max_bytes, in the time that
    /// the request has.
    ///
    /// # Errors
    /// When it is larger, is interrupted, comes too slowly, or too much else is
    /// on its way.
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

    /// What it says.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
