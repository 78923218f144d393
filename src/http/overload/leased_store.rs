use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::admission::{AdmissionControl, AdmissionTicket};
use super::memory_pool::{MemoryLease, MemoryPool};
use crate::domain::{ListQuery, Page, PageSize, Reading, ReadingId, UserId};
use crate::http::problem::ApiError;
use crate::store::{
    self, BatchPutStatus, Erasure, NewestReadings, PutResult, ReadBudget, ReadingStore, StoreError,
};

/// Upper bound of a page of readings in memory, together with its response.
const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;

/// Upper bound of one reading in a page, together with its part of the response.
const MAX_READING_BYTES: usize = 34 * 1024;

/// Upper bound of the readings of a page in memory, without a response.
const MAX_SCANNED_PAGE_BYTES: usize = MAX_PAGE_BYTES / 2;

/// The store as handlers see it: no page can be read without memory leased for it.
pub struct LeasedStore {
    store: Arc<dyn ReadingStore>,
    responses: MemoryPool,
    scanned: MemoryPool,
    exported: MemoryPool,
}

impl LeasedStore {
    /// Wraps `store`; pages take memory from the pools of `admission`.
    pub fn new(store: Arc<dyn ReadingStore>, admission: &AdmissionControl) -> Self {
        Self {
            store,
            responses: admission.responses.clone(),
            scanned: admission.scanned.clone(),
            exported: admission.exported.clone(),
        }
    }

    /// See [`ReadingStore::put`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        self.store.put(reading).await
    }

    /// See [`store::put_batch`].
    pub async fn put_batch(
        &self,
        readings: Vec<Reading>,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        store::put_batch(&*self.store, readings).await
    }

    /// See [`ReadingStore::get`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn get(
        &self,
        user_id: &UserId,
        id: ReadingId,
    ) -> Result<Option<Reading>, StoreError> {
        self.store.get(user_id, id).await
    }

    /// See [`ReadingStore::delete`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        self.store.delete(user_id, id).await
    }

    /// See [`store::erase_user`].
    ///
    /// # Errors
    /// Fails if the store fails before anything is deleted, or with an error that is not
    /// retryable.
    pub async fn erase_user(
        &self,
        user_id: &UserId,
        timeout: Duration,
        on_deleted: impl FnMut(u64),
    ) -> Result<Erasure, StoreError> {
        store::erase_user(&*self.store, user_id, timeout, on_deleted).await
    }

    /// Reads the page of `query`, with memory leased for it and its response.
    ///
    /// # Errors
    /// Fails if no memory becomes available in time, or the store fails.
    pub async fn list(
        &self,
        query: &ListQuery,
        ticket: &AdmissionTicket,
    ) -> Result<(Page, MemoryLease), ApiError> {
        let bytes = (query.limit.get() * MAX_READING_BYTES).min(MAX_PAGE_BYTES);
        let lease = ticket.lease_for_reading(&self.responses, bytes).await?;
        Ok((self.store.list(query).await?, lease))
    }

    /// Leases `bytes` for a summary or an analysis that reads page by page.
    ///
    /// # Errors
    /// Fails if no memory becomes available in time.
    pub async fn scan(
        &self,
        bytes: usize,
        ticket: &AdmissionTicket,
    ) -> Result<StoreScan, ApiError> {
        self.scan_with(&self.scanned, bytes, ticket).await
    }

    /// Leases memory for the first page of `limit` readings of an export.
    ///
    /// # Errors
    /// Fails if no memory becomes available in time.
    pub async fn export(
        &self,
        limit: PageSize,
        ticket: &AdmissionTicket,
    ) -> Result<StoreScan, ApiError> {
        let bytes = scanned_page_bytes(limit);
        self.scan_with(&self.exported, bytes, ticket).await
    }

    async fn scan_with(
        &self,
        pool: &MemoryPool,
        bytes: usize,
        ticket: &AdmissionTicket,
    ) -> Result<StoreScan, ApiError> {
        Ok(StoreScan {
            memory: ticket.lease_for_reading(pool, bytes).await?,
            store: Arc::clone(&self.store),
        })
    }
}

/// Returns the upper bound of a page of `limit` readings in memory, without a response.
fn scanned_page_bytes(limit: PageSize) -> usize {
    (limit.get() * MAX_READING_BYTES).min(MAX_SCANNED_PAGE_BYTES)
}

/// Access to pages of readings, of which the caller keeps one at a time.
pub struct StoreScan {
    store: Arc<dyn ReadingStore>,
    memory: MemoryLease,
}

impl StoreScan {
    /// Leases memory for a page of `limit` readings.
    ///
    /// # Errors
    /// Fails if it does not become available until `deadline`.
    pub async fn lease_page(&mut self, limit: PageSize, deadline: Instant) -> Result<(), ApiError> {
        let grown = self.memory.grow_to(scanned_page_bytes(limit), deadline);
        grown.await.ok_or_else(|| ApiError::overloaded("memory"))
    }

    /// Gives back the memory that exceeds `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.memory.shrink_to(bytes);
    }

    /// See [`ReadingStore::list`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.store.list(query).await
    }

    /// See [`store::read_newest`].
    ///
    /// # Errors
    /// Fails if the store fails.
    pub async fn read_newest<T>(
        &self,
        user_id: &UserId,
        budget: ReadBudget,
        map: impl Fn(Reading) -> T,
    ) -> Result<NewestReadings<T>, StoreError> {
        store::read_newest(&*self.store, user_id, budget, map).await
    }
}
