//! What an import that was interrupted leaves, so that it can go on.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::summary::ImportSummary;
use crate::import::record::{Found, Records};
use crate::import::source_location::{SourceError, SourceLocation};

/// How far an import has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What is being imported, and where to.
    pub job: Job,
    /// How far it is dealt with.
    pub settled: CheckpointPosition,
    /// What became of it.
    pub ledger: ImportSummary,
    /// How long the report was, in bytes; 0 if there is none.
    pub report: u64,
}

/// What is imported, and where to: only the same can be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The files of the source.
    pub files: Vec<FileFingerprint>,
    /// SHA-256 of how it is read, and into which store: everything that changes
    /// what becomes of a record.
    settings: String,
}

impl Job {
    /// The import of these files with these settings.
    pub fn of(files: Vec<FileFingerprint>, settings: &[String]) -> Self {
        let mut hash = Sha256::new();
        for setting in settings {
            hash.update((setting.len() as u64).to_be_bytes());
            hash.update(setting);
        }
        let settings = hex::encode(hash.finalize());
        Self { files, settings }
    }
}

/// A file, so that another or a changed one is told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFingerprint {
    name: String,
    bytes: u64,
    /// SHA-256 of its first and last 64 KiB.
    digest: String,
}

/// The part of a source before which everything is dealt with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckpointPosition {
    /// How much of what the source yields, records and damage alike.
    pub count: u64,
    /// Where the last of it stands.
    pub last: Option<SourceLocation>,
}

/// Why a checkpoint cannot be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written.
    #[error("cannot use the checkpoint {}", path.display())]
    File {
        /// Where it is.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It is not one of this version.
    #[error(
        "{} is no checkpoint of this version: remove it, or name another with --checkpoint, and import from the beginning, which is safe at any time",
        .0.display()
    )]
    Unreadable(PathBuf),
    /// It is of another source, or the source has changed.
    #[error(
        "the checkpoint {} is of another source, map, user, store or report: give the same as before, or import without --resume, which is safe at any time",
        .0.display()
    )]
    OfOther(PathBuf),
}

impl Checkpoint {
    /// The checkpoint at `path`, if there is one.
    ///
    /// # Errors
    /// When it is unreadable, or of another job.
    pub fn read(path: &Path, job: &Job) -> Result<Option<Self>, CheckpointError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.to_owned();
                return Err(CheckpointError::File { path, source });
            }
        };
        let checkpoint: Self = serde_json::from_slice(&text)
            .map_err(|_| CheckpointError::Unreadable(path.to_owned()))?;
        if checkpoint.job == *job {
            Ok(Some(checkpoint))
        } else {
            Err(CheckpointError::OfOther(path.to_owned()))
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        // Another import may have the same name for its own.
        let new = path.with_added_extension(format!("new-{}", std::process::id()));
        let written = serde_json::to_vec(self).map_err(io::Error::other);
        written
            .and_then(|text| {
                let mut file = File::create(&new)?;
                file.write_all(&text)?;
                file.sync_all()?;
                fs::rename(&new, path)
            })
            .map_err(|source| CheckpointError::File {
                path: path.to_owned(),
                source,
            })
    }

    /// Removes what a finished import does not need any more.
    ///
    /// # Errors
    /// When there is one and it cannot be removed.
    pub fn remove(path: &Path) -> Result<(), CheckpointError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(CheckpointError::File {
                path: path.to_owned(),
                source,
            }),
            _ => Ok(()),
        }
    }
}

impl FileFingerprint {
    /// The mark of a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> Result<Self, SourceError> {
        let unreadable =
            |error: io::Error| SourceError::unreadable(SourceLocation::start_of(path), &error);
        Self::read(path).map_err(unreadable)
    }

    fn read(path: &Path) -> io::Result<Self> {
        const SOME: u64 = 64 * 1024;
        let mut file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut hash = Sha256::new();
        let mut some = Vec::new();
        (&mut file).take(SOME).read_to_end(&mut some)?;
        hash.update(&some);
        file.seek(SeekFrom::Start(bytes.saturating_sub(SOME)))?;
        some.clear();
        file.take(SOME).read_to_end(&mut some)?;
        hash.update(&some);
        Ok(Self {
            name: path.to_string_lossy().into_owned(),
            bytes,
            digest: hex::encode(hash.finalize()),
        })
    }
}

impl CheckpointPosition {
    /// Leaves out what has been dealt with; tells whether it came to its end
    /// before that was not wanted any more.
    ///
    /// # Errors
    /// When the source does not hold it where it was.
    pub(super) fn skip(
        &self,
        records: &mut Records,
        is_wanted: impl Fn() -> bool,
    ) -> Result<bool, SourceError> {
        let mut last = None;
        for _ in 0..self.count {
            if !is_wanted() {
                return Ok(false);
            }
            last = records.next();
        }
        let place = match last {
            None => None,
            Some(Found::Ok(record)) => Some(record.place),
            Some(Found::Err(damage)) => Some(damage.place),
        };
        if place == self.last {
            return Ok(true);
        }
        let place = place.or_else(|| self.last.clone());
        Err(SourceError::new(
            place.unwrap_or_else(|| SourceLocation::new("the source", 0)),
            "the source has changed since the checkpoint: import without --resume, which is safe at any time",
        ))
    }
}
