use std::io;
use std::path::{Path, PathBuf};

use redb::DatabaseError;

use super::format;

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
    /// The file cannot be opened or written, or is no store.
    #[error("cannot open {path}: {}", remedy(source))]
    Engine {
        /// The file.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: Box<redb::Error>,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start a thread to write: allow the service more threads")]
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

/// What to do about it.
fn remedy(error: &redb::Error) -> &'static str {
    use io::ErrorKind::{
        FileTooLarge, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error {
        redb::Error::Io(error) => match error.kind() {
            StorageFull | QuotaExceeded | FileTooLarge => {
                "the disk is full: make room, or set CLARITY_DATA_DIR to another"
            }
            PermissionDenied | ReadOnlyFilesystem => {
                "give the service's user write access, or set CLARITY_DATA_DIR"
            }
            _ => CORRUPT,
        },
        _ => CORRUPT,
    }
}

const CORRUPT: &str =
    "check that the file is whole and its disk works, or restore it from a backup";
