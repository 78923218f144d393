//! The embedded store: one file, nothing to install.
//!
//! Its engine is `redb`, a copy-on-write B-tree with checksums and atomic commits. Keys
//! order a user's readings by measurement time; an index does so for each data type. A
//! single [`writer`] thread commits concurrent writes together, and acknowledges each
//! after its commit is on disk.

mod data_file;
mod database_handle;
mod engine_error;
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

use self::data_file::{DirectoryLock, VerifyPath};
use self::database_handle::DatabaseHandle;
use self::engine_error::engine_error;
pub use self::open_error::OpenError;
use self::writer::Writer;
use super::{BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

/// Stores readings in a local file; see the module documentation.
pub struct EmbeddedStore {
    database: Arc<DatabaseHandle>,
    writer: Writer,
    /// Fails if the database is no longer at its path.
    verify_path: VerifyPath,
    /// Released after the writer has closed the file. `None` on other storage.
    _lock: Option<DirectoryLock>,
}

impl EmbeddedStore {
    /// Opens the store in `directory`, which is created if missing.
    ///
    /// # Errors
    /// If the directory cannot be created or written, another process has the store
    /// open, or the file has an unknown format.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let opened = file::open(directory)?;
        let file = Arc::new(opened.file);
        let verify_path = {
            let file = Arc::clone(&file);
            move || file.verify().map_err(StoreError::unavailable)
        };
        Self::with_database(
            opened.database,
            move || file::reopen(&file),
            Arc::new(verify_path),
            Some(opened.lock),
        )
    }

    /// Opens the store on the storage that `make` returns, now and after each failure.
    /// For tests.
    #[doc(hidden)]
    pub fn open_on<B: StorageBackend>(
        make: impl Fn() -> B + Send + 'static,
    ) -> Result<Self, OpenError> {
        Self::open_on_failing(make, || Ok(()))
    }

    /// As [`Self::open_on`], for storage that fails. `discard_dirty_pages` makes it
    /// show from then on what is on its disk.
    #[doc(hidden)]
    pub fn open_on_failing<B: StorageBackend>(
        make: impl Fn() -> B + Send + 'static,
        discard_dirty_pages: impl Fn() -> io::Result<()> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let path = Path::new("the storage");
        let open = move |builder: &Builder| builder.create_with_backend(make());
        let database = file::prepare(file::open_checked(&open), path)?;
        let reopen = move || file::reopen_clean(path, &discard_dirty_pages, &open);
        Self::with_database(database, reopen, Arc::new(|| Ok(())), None)
    }

    fn with_database(
        database: Database,
        reopen: impl Fn() -> Result<Database, OpenError> + Send + 'static,
        verify_path: VerifyPath,
        lock: Option<DirectoryLock>,
    ) -> Result<Self, OpenError> {
        let database = Arc::new(DatabaseHandle::new(database));
        let writer = Writer::start(Arc::clone(&database), reopen, Arc::clone(&verify_path));
        Ok(Self {
            writer: writer.map_err(OpenError::Thread)?,
            database,
            verify_path,
            _lock: lock,
        })
    }

    /// Runs a read on a blocking thread, as it may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.database.get()?;
        match tokio::task::spawn_blocking(move || read(&database)).await {
            Ok(Err(error @ StoreError::Unavailable(_))) => {
                // After a failed read the engine fails all others, and a replaced file
                // must not be read on. A write, even an empty one, makes the writer
                // reopen the file.
                self.writer.put_many(Vec::new()).await;
                Err(error)
            }
            Ok(read) => read,
            // The message may quote health data, so the panic continues instead of
            // becoming a logged error.
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
        let verify_path = Arc::clone(&self.verify_path);
        self.read(move |database| {
            verify_path()?;
            database.begin_read().map(drop).map_err(engine_error)
        })
        .await
    }
}
