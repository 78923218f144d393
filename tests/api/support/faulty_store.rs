//! A store with injected faults, which cannot be provoked from outside.

use std::io;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clarity_backend::domain::{ListQuery, Page, Reading, ReadingId, UserId};
use clarity_backend::store::{
    BatchPutStatus, DistinctReadings, EmbeddedStore, Erasure, PutResult, ReadingStore, StoreError,
    put_batch,
};
use tempfile::TempDir;

pub struct FaultyStore {
    store: EmbeddedStore,
    faults: Mutex<InjectedFaults>,
}

#[derive(Default)]
struct InjectedFaults {
    /// Puts of this data type fail.
    data_type: Option<String>,
    /// Number of pages that can be read before reads fail.
    pages_left: Option<usize>,
    /// Erasures never complete.
    endless: bool,
    /// Every page takes 30 s.
    slow: bool,
}

impl FaultyStore {
    /// Returns a store without faults and its directory, which must outlive it.
    pub fn new() -> (Self, TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let store = Self {
            store: EmbeddedStore::open(directory.path()).unwrap(),
            faults: Mutex::default(),
        };
        (store, directory)
    }

    pub fn fail_puts_of(&self, data_type: &str) {
        self.faults.lock().unwrap().data_type = Some(data_type.to_owned());
    }

    pub fn fail_after_pages(&self, pages: usize) {
        self.faults.lock().unwrap().pages_left = Some(pages);
    }

    pub fn make_erasures_endless(&self) {
        self.faults.lock().unwrap().endless = true;
    }

    pub fn slow_down_reads(&self) {
        self.faults.lock().unwrap().slow = true;
    }

    pub fn clear_faults(&self) {
        *self.faults.lock().unwrap() = InjectedFaults::default();
    }

    fn should_fail(&self, reading: &Reading) -> bool {
        let data_type = reading.measurement.data_type.as_str();
        self.faults.lock().unwrap().data_type.as_deref() == Some(data_type)
    }
}

fn disk_error() -> StoreError {
    StoreError::Unavailable(Arc::new(io::Error::other("injected disk error")))
}

#[async_trait]
impl ReadingStore for FaultyStore {
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        if self.should_fail(&reading) {
            return Err(disk_error());
        }
        self.store.put(reading).await
    }

    async fn put_many(
        &self,
        readings: DistinctReadings,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        let mut outcomes = Vec::new();
        for reading in readings.into_vec() {
            outcomes.push(match self.should_fail(&reading) {
                true => Err(disk_error()),
                false => put_batch(&self.store, vec![reading]).await.remove(0),
            });
        }
        outcomes
    }

    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError> {
        self.store.get(user_id, id).await
    }

    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        self.store.delete(user_id, id).await
    }

    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        if self.faults.lock().unwrap().endless {
            tokio::time::sleep(std::time::Duration::from_secs(5)).await;
            return Ok(Erasure {
                deleted: 100,
                complete: false,
            });
        }
        self.store.erase_part(user_id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        match &mut self.faults.lock().unwrap().pages_left {
            Some(0) => return Err(disk_error()),
            Some(pages) => *pages -= 1,
            None => {}
        }
        let is_slow = self.faults.lock().unwrap().slow;
        if is_slow {
            tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        }
        self.store.list(query).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.store.check().await
    }
}
