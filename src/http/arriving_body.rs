use std::sync::Arc;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures_util::TryStreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::admission::Visit;
use super::error::ApiError;

/// What most bodies are smaller than, in bytes.
const USUAL: usize = 1024;

/// What bodies may still hold together while they arrive and until they are
/// read, in bytes. What they are gathered in doubles as it grows, so that they
/// take twice that at most.
///
/// It is taken as they come, not as they are announced: whoever sends slowly
/// holds little.
#[derive(Clone)]
pub struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }
}

/// A body that has arrived. It counts until it is dropped.
pub struct ArrivedBody {
    bytes: Vec<u8>,
    _held: Option<OwnedSemaphorePermit>,
}

impl ArrivedBody {
    /// Waits for the body of a request, of `most` bytes at most, in the time that
    /// its visit has.
    ///
    /// # Errors
    /// When it is larger, is interrupted, comes too slowly, or there is too much
    /// on its way already.
    pub async fn receive(
        request: Request,
        visit: &Visit,
        most: usize,
        budget: &BodyBudget,
    ) -> Result<Self, ApiError> {
        let body = request.into_body();
        let announced = body.size_hint().lower();
        if announced > most as u64 {
            return Err(ApiError::BodyTooLarge(most));
        }
        timeout_at(
            visit.body_deadline(),
            Self::collect(body, visit, most, budget),
        )
        .await
        .map_err(|_| ApiError::BodyTooSlow)?
    }

    async fn collect(
        body: Body,
        visit: &Visit,
        most: usize,
        BodyBudget(budget): &BodyBudget,
    ) -> Result<Self, ApiError> {
        let mut bytes = Vec::with_capacity(USUAL);
        let mut held: Option<OwnedSemaphorePermit> = None;
        let mut parts = body.into_data_stream();
        while let Some(part) = parts
            .try_next()
            .await
            .map_err(|_| ApiError::BodyInterrupted)?
        {
            if part.len() > most - bytes.len() {
                return Err(ApiError::BodyTooLarge(most));
            }
            let size = u32::try_from(part.len()).map_err(|_| ApiError::BodyTooLarge(most))?;
            let taken = Arc::clone(budget).try_acquire_many_owned(size);
            let taken = taken.map_err(|_| visit.shed())?;
            match &mut held {
                Some(held) => held.merge(taken),
                None => held = Some(taken),
            }
            bytes.extend_from_slice(&part);
        }
        Ok(Self { bytes, _held: held })
    }

    /// What it says.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
