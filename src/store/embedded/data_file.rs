//! Identity of the database file, and the lock on its directory.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open_error::OpenError;
use crate::store::StoreError;

/// Check that the database is still at its path; on other storage than files it always
/// succeeds.
pub(super) type VerifyPath = Arc<dyn Fn() -> Result<(), StoreError> + Send + Sync>;

/// Lock on the data directory.
///
/// The engine locks the file itself, by its inode: a file that replaces it has no
/// lock. The directory stays when files in it are replaced.
pub(super) struct DirectoryLock {
    /// The lock is released when this is closed.
    _directory: File,
}

impl DirectoryLock {
    /// Locks `directory`, in which the database is at `path`.
    pub(super) fn acquire(directory: &Path, path: &Path) -> Result<Self, OpenError> {
        let opened = File::open(directory);
        let opened = opened.map_err(|source| OpenError::directory(directory, source))?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(OpenError::InUse { path });
            }
            // Some network file systems cannot lock directories; the engine's lock on
            // the file remains.
            Err(TryLockError::Error(error)) => tracing::warn!(
                %error,
                "cannot lock the data directory: do not replace files in it while the service runs"
            ),
        }
        Ok(Self { _directory: opened })
    }
}

/// The database file that was opened, which may since have been deleted, moved or
/// replaced.
pub(super) struct DataFile {
    path: PathBuf,
    /// Keeps the inode number from being used for another file, even while the engine
    /// has the file closed.
    file: File,
}

impl DataFile {
    /// Opens the file at `path`, which must exist.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            // With write access, as an overlay file system copies the file to another
            // inode when it is first opened so.
            file: File::options().read(true).write(true).open(path)?,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails unless the file at the path is still the one that was opened.
    pub(super) fn verify(&self) -> Result<(), OpenError> {
        let identity = |metadata: Metadata| (metadata.dev(), metadata.ino());
        let at_path = fs::metadata(&self.path).map(identity).ok();
        match self.file.metadata().map(identity).ok() {
            Some(opened) if at_path == Some(opened) => Ok(()),
            _ => Err(OpenError::Replaced {
                path: self.path.clone(),
            }),
        }
    }
}
