//! The embedded store: one file, nothing to install.
//!
//! `redb` keeps it: a copy-on-write B-tree with checksums, in which a commit is
//! whole or not there. Keys put a user's readings side by side in order of
//! measurement time, and a second order does so for each data type. All writes
//! go through one [`writer`] that commits together whatever waits at the same
//! moment; a write is answered only after its commit is on the disk.

mod database_handle;
mod file;
mod format;
mod open_error;
mod read;
mod record;
mod writer;

use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Builder, Database, ReadableDatabase, StorageBackend};

use self::database_handle::DatabaseHandle;
pub use self::open_error::OpenError;
use self::writer::Writer;
use super::{BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

/// Keeps readings in a file of its own; see the module.
pub struct EmbeddedStore {
    database: Arc<DatabaseHandle>,
    writer: Writer,
}

impl EmbeddedStore {
    /// Opens the store in `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made or written, another process has the
    /// store open, or the file is not a store of this version.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let database = file::open(directory)?;
        let path = file::path_in(directory);
        Self::with_database(database, move || file::reopen(&path))
    }

    /// Opens the store on whatever storage `make` gives, once now and once
    /// after each failure: for tests.
    #[doc(hidden)]
    pub fn open_on<B: StorageBackend>(
        make: impl Fn() -> B + Send + 'static,
    ) -> Result<Self, OpenError> {
        Self::open_on_failing(make, || Ok(()))
    }

    /// The same on storage that fails, which is told by `discard_dirty_pages` when
    /// it must show from now on what is on its disk.
    #[doc(hidden)]
    pub fn open_on_failing<B: StorageBackend>(
        make: impl Fn() -> B + Send + 'static,
        discard_dirty_pages: impl Fn() -> io::Result<()> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let path = Path::new("the storage");
        let open = move |builder: &Builder| builder.create_with_backend(make());
        let database = file::prepare(file::open_checked(&open), path)?;
        Self::with_database(database, move || {
            file::reopen_clean(path, &discard_dirty_pages, &open)
        })
    }

    fn with_database(
        database: Database,
        reopen: impl Fn() -> Result<Database, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let database = Arc::new(DatabaseHandle::new(database));
        let writer = Writer::start(Arc::clone(&database), reopen);
        Ok(Self {
            writer: writer.map_err(OpenError::Thread)?,
            database,
        })
    }

    /// Runs a read away from the threads that serve requests, as it may wait
    /// for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.database.get()?;
        match tokio::task::spawn_blocking(move || read(&database)).await {
            Ok(Err(error @ StoreError::Unavailable(_))) => {
                // The engine reads no more either, once it could not: a write,
                // if of nothing, has the file opened anew.
                self.writer.put_many(Vec::new()).await;
                Err(error)
            }
            Ok(read) => read,
            // Its message may quote data, so it goes on as a panic and not as
            // an error that is logged.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }
}

#[async_trait]
impl ReadingStore for EmbeddedStore {
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        self.writer.put(reading).await
    }

    async fn put_many(
        &self,
        readings: DistinctReadings,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        self.writer.put_many(readings.into_vec()).await
    }

    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError> {
        let user_id = user_id.clone();
        self.read(move |database| read::get(database, &user_id, id))
            .await
    }

    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        self.writer.delete(user_id, id).await
    }

    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        self.writer.erase_part(user_id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let query = query.clone();
        self.read(move |database| read::list(database, &query))
            .await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.writer.check()?;
        self.read(|database| database.begin_read().map(drop).map_err(engine_error))
            .await
    }
}

fn engine_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        corrupted @ redb::Error::Corrupted(_) => StoreError::corrupt(corrupted),
        other => StoreError::unavailable(other),
    }
}
