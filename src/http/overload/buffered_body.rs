use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use futures_util::TryStreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::admission::{AdmissionTicket, Bodies};
use super::body_segments::BodySegments;
use super::memory_pool::MemoryLease;
use super::sizes::PROCESSING_FACTOR;
use crate::http::problem::ApiError;

/// Time that a request waits for the memory to begin its body.
const BEGIN_PATIENCE: Duration = Duration::from_secs(10);

/// Window in which the rate of a body is measured.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Least number of bytes in each window until the body is complete.
const MIN_BYTES_PER_WINDOW: usize = 16 * 1024;

/// Request body, read completely.
///
/// Its memory is leased before the first byte is read, by its announced length: a
/// request that has to wait, or is refused, has sent nothing in vain. A body that was
/// begun can finish, if it keeps to the least rate.
pub struct BufferedBody {
    segments: BodySegments,
    memory: MemoryLease,
}

impl BufferedBody {
    /// Reads the body of a request, at most `max_bytes`, before the deadline of
    /// its ticket, and leases the memory to process it.
    ///
    /// # Errors
    /// Fails if the body is too large, incomplete or too slow, or its memory does not
    /// become available in time.
    pub async fn read(
        request: Request,
        ticket: &AdmissionTicket,
        max_bytes: usize,
    ) -> Result<Self, ApiError> {
        let body = request.into_body();
        if body.size_hint().lower() > max_bytes as u64 {
            return Err(ApiError::BodyTooLarge(max_bytes));
        }
        let arriving = ArrivingBody::begin(body, ticket, max_bytes).await?;
        arriving.complete(ticket, max_bytes).await
    }

    /// Returns the number of bytes.
    pub fn length(&self) -> usize {
        self.segments.length()
    }

    /// Returns the bytes of the body, and the memory for processing them.
    pub fn into_parts(self) -> (Vec<u8>, MemoryLease) {
        (self.segments.into_bytes(), self.memory)
    }
}

struct ArrivingBody {
    parts: BodyDataStream,
    announced: usize,
    segments: BodySegments,
    memory: MemoryLease,
}

impl ArrivingBody {
    async fn begin(
        body: Body,
        ticket: &AdmissionTicket,
        max_bytes: usize,
    ) -> Result<Self, ApiError> {
        let announced = body.size_hint().exact();
        let announced = announced.and_then(|bytes| usize::try_from(bytes).ok());
        let announced = announced.unwrap_or(max_bytes);
        let now = Instant::now();
        let half = ticket.body_deadline().saturating_duration_since(now) / 2;
        let deadline = now + BEGIN_PATIENCE.min(half);
        let (pool, bytes) = match ticket.bodies() {
            Bodies::Small(pool) => (pool, announced * PROCESSING_FACTOR),
            Bodies::Uploads { arriving, .. } => (arriving, announced),
        };
        Ok(Self {
            memory: ticket.lease(pool, bytes, deadline).await?,
            parts: body.into_data_stream(),
            announced,
            segments: BodySegments::new(announced),
        })
    }

    async fn complete(
        mut self,
        ticket: &AdmissionTicket,
        max_bytes: usize,
    ) -> Result<BufferedBody, ApiError> {
        let deadline = ticket.body_deadline();
        let mut rate = RateWindow::new();
        while let Some(part) = rate.next_part(&mut self.parts, deadline).await? {
            if part.len() > max_bytes - self.segments.length() {
                return Err(ApiError::BodyTooLarge(max_bytes));
            }
            let Bodies::Uploads { arriving, .. } = ticket.bodies() else {
                self.segments.push(&part, || false);
                continue;
            };
            if self.segments.push(&part, || arriving.is_short()) {
                let expected = self.segments.expected_bytes(self.announced);
                self.memory.shrink_to(expected);
                let grown = self.memory.grow_to(expected, deadline).await;
                grown.ok_or_else(|| ApiError::overloaded("memory"))?;
                // Waiting for memory is not the sender's fault.
                rate = RateWindow::new();
            }
        }
        let bytes = self.segments.length() * PROCESSING_FACTOR;
        match ticket.bodies() {
            Bodies::Small(_) => self.memory.shrink_to(bytes),
            Bodies::Uploads { processed, .. } => {
                let processed = ticket.lease(processed, bytes, deadline).await?;
                // Gives the memory of the arriving body back.
                self.memory = processed;
            }
        }
        Ok(BufferedBody {
            segments: self.segments,
            memory: self.memory,
        })
    }
}

/// Bytes that arrived within a window of time.
struct RateWindow {
    end: Instant,
    bytes: usize,
}

impl RateWindow {
    fn new() -> Self {
        Self {
            end: Instant::now() + RATE_WINDOW,
            bytes: 0,
        }
    }

    async fn next_part(
        &mut self,
        parts: &mut BodyDataStream,
        deadline: Instant,
    ) -> Result<Option<Bytes>, ApiError> {
        let part = timeout_at(self.end.min(deadline), parts.try_next()).await;
        let part = part.map_err(|_| ApiError::BodyTimeout)?;
        let part = part.map_err(|_| ApiError::IncompleteBody)?;
        self.bytes += part.as_ref().map_or(0, Bytes::len);
        if self.bytes >= MIN_BYTES_PER_WINDOW {
            *self = Self::new();
        }
        Ok(part)
    }
}
