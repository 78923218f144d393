use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::admission::AdmissionControl;
use super::memory_pool::{MemoryLease, MemoryPool};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};
use crate::http::problem::ApiError;
use crate::store::{
    self, BatchPutStatus, Erasure, NewestReadings, PutResult, ReadBudget, ReadingStore, StoreError,
};

/// Upper bound of a page of readings in memory, together with its response.
const MAX_PAGE_BYTES: usize = 10 * 1024 * 1024;

/// Upper bound of one reading in a page, together with its part of the response.
const MAX_READING_BYTES: usize = 34 * 1024;

/// Memory reserved by handlers that stream or aggregate page by page: they never
/// hold the response of a whole page.
const SCAN_PAGE_BYTES: usize = MAX_PAGE_BYTES / 2;

/// The store as handlers see it: no page can be read without memory reserved
/// for it.
pub struct LeasedStore {
    store: Arc<dyn ReadingStore>,
    pages: MemoryPool,
}

impl LeasedStore {
    /// Wraps `store`; pages take memory from the pool of `admission`.
    pub fn new(store: Arc<dyn ReadingStore>, admission: &AdmissionControl) -> Self {
        Self {
            store,
            pages: admission.pages.clone(),
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

    /// Reads the page of `query`, with memory reserved for it and its response.
    ///
    /// # Errors
    /// Fails if no memory becomes available in time, or the store fails.
    pub async fn list(&self, query: &ListQuery) -> Result<LeasedPage, ApiError> {
        let bytes = (query.limit.get() * MAX_READING_BYTES).min(MAX_PAGE_BYTES);
        let lease = self.pages.reserve(bytes).await?;
        let page = self.store.list(query).await?;
        Ok(LeasedPage {
            page,
            _lease: lease,
        })
    }

    /// Reserves memory for reading pages one after another.
    ///
    /// # Errors
    /// Fails if no memory becomes available in time.
    pub async fn scan(&self) -> Result<StoreScan, ApiError> {
        Ok(StoreScan {
            _lease: self.pages.reserve(SCAN_PAGE_BYTES).await?,
            store: Arc::clone(&self.store),
        })
    }
}

/// Page of readings with the memory reserved for it and its response.
pub struct LeasedPage {
    page: Page,
    _lease: MemoryLease,
}

impl Deref for LeasedPage {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.page
    }
}

/// Access to pages of readings, of which the caller keeps one at a time.
pub struct StoreScan {
    store: Arc<dyn ReadingStore>,
    _lease: MemoryLease,
}

impl StoreScan {
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
