use std::io;
use std::path::{Path, PathBuf};

use redb::DatabaseError;

use super::format;

/// Failure to open the embedded store, with its remedy.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be created, read or written.
    #[error(
        "cannot use {directory} for data: give the service's user write access, or set CLARITY_DATA_DIR"
    )]
    Directory {
        /// Data directory.
        directory: PathBuf,
        /// Error of the operating system.
        #[source]
        source: io::Error,
    },
    /// Another process has the file open.
    #[error(
        "{path} is in use by another process: stop that one, or set CLARITY_DATA_DIR to a directory of its own"
    )]
    InUse {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file at the path is no longer the one that was opened.
    #[error(
        "{path} was deleted, moved or replaced: restart the service to use what is there now, or move the original file back"
    )]
    Replaced {
        /// Path of the file.
        path: PathBuf,
    },
    /// Another version of the service wrote the file.
    #[error(
        "{path} has format {found}, this version reads up to {}: use the version that wrote it",
        format::VERSION
    )]
    Format {
        /// Path of the file.
        path: PathBuf,
        /// Version found.
        found: u32,
    },
    /// The file cannot be opened or written, or is not a database.
    #[error("cannot open {path}: {}", remedy(source))]
    Engine {
        /// Path of the file.
        path: PathBuf,
        /// Error of the engine.
        #[source]
        source: Box<redb::Error>,
    },
    /// The writer thread cannot be started.
    #[error("cannot start the writer thread: raise the limit on threads")]
    Thread(#[source] io::Error),
}

impl OpenError {
    pub(super) fn directory(directory: &Path, source: io::Error) -> Self {
        Self::Directory {
            directory: directory.to_owned(),
            source,
        }
    }

    pub(super) fn from_engine(error: DatabaseError, path: &Path) -> Self {
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

/// Returns the remedy for an engine error.
fn remedy(error: &redb::Error) -> &'static str {
    use io::ErrorKind::{
        FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error {
        redb::Error::Io(error) => match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                "the disk is full: free some space, or set CLARITY_DATA_DIR to another disk"
            }
            PermissionDenied | ReadOnlyFilesystem => {
                "give the service's user write access, or set CLARITY_DATA_DIR"
            }
            _ => CORRUPT,
        },
        _ => CORRUPT,
    }
}

const CORRUPT: &str = "check the file and its disk, or restore the file from a backup";
