use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures_util::TryStreamExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout_at;

use super::load_shed::Ticket;
use crate::http::problem::ApiError;

/// What most bodies are smaller than, in bytes.
const USUAL: usize = 1024;

/// A body that has arrived.
///
/// It takes of the memory of its class until it is dropped, by what has come of
/// it, not by what was announced: whoever sends slowly holds little.
pub struct ArrivedBody {
    bytes: Vec<u8>,
    _memory: Option<OwnedSemaphorePermit>,
}

impl ArrivedBody {
    /// Waits for the body of a request, of `most` bytes at most, in the time that
    /// the request has.
    ///
    /// # Errors
    /// When it is larger, is interrupted, comes too slowly, or too much else is
    /// on its way.
    pub async fn receive(request: Request, ticket: &Ticket, most: usize) -> Result<Self, ApiError> {
        let body = request.into_body();
        if body.size_hint().lower() > most as u64 {
            return Err(ApiError::BodyTooLarge(most));
        }
        timeout_at(ticket.body_deadline(), Self::collect(body, ticket, most))
            .await
            .map_err(|_| ApiError::BodyTooSlow)?
    }

    async fn collect(body: Body, ticket: &Ticket, most: usize) -> Result<Self, ApiError> {
        let mut bytes = Vec::with_capacity(USUAL);
        let mut memory: Option<OwnedSemaphorePermit> = None;
        let mut parts = body.into_data_stream();
        let interrupted = |_| ApiError::BodyInterrupted;
        while let Some(part) = parts.try_next().await.map_err(interrupted)? {
            if part.len() > most - bytes.len() {
                return Err(ApiError::BodyTooLarge(most));
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
