//! The embedded store: one file, nothing to install.
//!
//! `redb` keeps it: a copy-on-write B-tree with checksums, in which a commit is
//! whole or not there. Keys put a user's readings side by side in order of
//! measurement time, and a second order does so for each data type. All writes
//! go through one [`writer`] that commits together whatever waits at the same
//! moment; a write is answered only after its commit is on the disk.

mod format;
mod read;
mod record;
mod writer;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Builder, Database, DatabaseError, ReadableDatabase};
use uuid::Uuid;

use self::format::PrepareError;
use self::writer::Writer;
use super::{DistinctReadings, Erasure, Kept, PutOutcome, ReadingStore, StoreError};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

const FILE_NAME: &str = "readings.redb";

/// How the names of stores begin that are being made.
const UNFINISHED: &str = "readings.redb.unfinished-";

/// Pages kept in memory. The engine's own default, 1 GiB, is more than a small
/// container has.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Keeps readings in a file of its own; see the module.
pub struct EmbeddedStore {
    database: Arc<Database>,
    writer: Writer,
}

impl EmbeddedStore {
    /// Opens the store in `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// When the directory cannot be made or written, another process has the
    /// store open, or the file is not a store of this version.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE_NAME);
        let io_fault = |source| OpenError::Directory {
            directory: directory.to_owned(),
            source,
        };
        let is_new = !directory.exists();
        make_private_directory(directory).map_err(io_fault)?;
        if !path.exists() {
            create(directory, &path)?;
        }
        let database = prepared(builder().open(&path), &path)?;
        remove_unfinished(directory);
        sync_names(directory, is_new).map_err(io_fault)?;
        let database = Arc::new(database);
        Ok(Self {
            writer: Writer::start(Arc::clone(&database)).map_err(io_fault)?,
            database,
        })
    }

    /// Runs a read away from the threads that serve requests, as it may wait
    /// for the disk.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        match tokio::task::spawn_blocking(move || read(&database)).await {
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
    async fn put(&self, reading: Reading) -> Result<PutOutcome, StoreError> {
        self.writer.put(reading).await
    }

    async fn put_all(&self, readings: DistinctReadings) -> Vec<Result<Kept, StoreError>> {
        self.writer.put_all(readings.into_vec()).await
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
        self.read(|database| database.begin_read().map(drop).map_err(engine_fault))
            .await
    }
}

/// Makes a directory that only its owner may enter, and its parents.
fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes a new store under a name of its own, and gives it the right name once
/// it is whole: a crash meanwhile leaves no half store behind.
fn create(directory: &Path, path: &Path) -> Result<(), OpenError> {
    let unfinished = directory.join(format!("{UNFINISHED}{}", Uuid::new_v4()));
    let made = make_private_file(&unfinished)
        .map_err(|error| OpenError::from_engine(error.into(), path))
        .and_then(|()| prepared(builder().create(&unfinished), path))
        .and_then(|database| {
            drop(database);
            give_name(&unfinished, path).map_err(|error| OpenError::from_engine(error.into(), path))
        });
    // Gone already where it was renamed.
    let _ = fs::remove_file(&unfinished);
    made
}

/// Gives a file the name `path` too, unless another process was quicker.
fn give_name(file: &Path, path: &Path) -> io::Result<()> {
    // Unlike a renaming, a link never takes the place of another's store.
    match fs::hard_link(file, path) {
        Err(_) if path.exists() => Ok(()),
        // Not every file system has links.
        Err(_) => fs::rename(file, path),
        Ok(()) => Ok(()),
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        // The engine would trust a file that it closed itself, however damaged.
        .set_check_integrity_on_open(true);
    builder
}

/// The database at `path`, with its tables, if it is one of ours.
fn prepared(opened: Result<Database, DatabaseError>, path: &Path) -> Result<Database, OpenError> {
    let database = opened.map_err(|error| OpenError::from_engine(error, path))?;
    let path = path.to_owned();
    match format::prepare(&database) {
        Ok(()) => Ok(database),
        Err(PrepareError::Engine(source)) => Err(OpenError::Engine { path, source }),
        Err(PrepareError::Format(found)) => Err(OpenError::Format { path, found }),
    }
}

/// Removes what crashes have left of stores that never came to be. To be called
/// by the process that has the store open.
fn remove_unfinished(directory: &Path) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED));
        if id.is_some_and(|id| Uuid::try_parse(id).is_ok()) {
            // What cannot be removed does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes an empty file that only its owner may read.
fn make_private_file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A new file is safe only once its name is on the disk too; so is a new
/// directory.
fn sync_names(directory: &Path, is_new: bool) -> io::Result<()> {
    let directory = directory.canonicalize()?;
    File::open(&directory)?.sync_all()?;
    if is_new {
        for ancestor in directory.ancestors().skip(1) {
            // Not every one may be read, or is on a disk.
            let _ = File::open(ancestor).and_then(|ancestor| ancestor.sync_all());
        }
    }
    Ok(())
}

/// Why the embedded store could not be opened, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be made, read or written.
    #[error(
        "cannot use {directory} for data: give the service's user write access, or set CLARITY_DATA_DIR"
    )]
    Directory {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has it open.
    #[error(
        "{path} is in use by another process: stop that one, or set CLARITY_DATA_DIR to a directory of its own"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another version of the service.
    #[error(
        "{path} has format {found}, this version reads up to {}: use the version that wrote it",
        format::VERSION
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
    /// The file cannot be opened or is no store.
    #[error("cannot open {path}: check that the file is whole and may be written, or restore it")]
    Engine {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: Box<redb::Error>,
    },
}

impl OpenError {
    fn from_engine(error: DatabaseError, path: &Path) -> Self {
        let path = path.to_owned();
        match error {
            DatabaseError::DatabaseAlreadyOpen => Self::InUse { path },
            other => Self::Engine {
                path,
                source: Box::new(other.into()),
            },
        }
    }
}

fn engine_fault(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        corrupted @ redb::Error::Corrupted(_) => StoreError::corrupt(corrupted),
        other => StoreError::unavailable(other),
    }
}
