//! State of an interrupted import, from which it resumes.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::summary::ImportSummary;
use crate::import::record::Records;
use crate::import::source_location::{SourceError, SourceLocation};

/// State of an import in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The import that it belongs to.
    pub job: Job,
    /// Position up to which the source is processed.
    #[serde(rename = "settled")]
    pub position: CheckpointPosition,
    /// Counts up to that position.
    #[serde(rename = "ledger")]
    pub summary: ImportSummary,
    /// Length of the report; 0 without one.
    #[serde(rename = "report")]
    pub report_bytes: u64,
}

/// Identity of an import. A checkpoint is valid for an equal job only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The files of the source.
    pub files: Vec<FileFingerprint>,
    /// SHA-256 of the settings that affect the outcome of a record, among them
    /// the target store.
    settings: String,
}

impl Job {
    /// Returns the import of these files with these settings.
    pub fn new(files: Vec<FileFingerprint>, settings: &[String]) -> Self {
        let mut hash = Sha256::new();
        for setting in settings {
            hash.update((setting.len() as u64).to_be_bytes());
            hash.update(setting);
        }
        let settings = hex::encode(hash.finalize());
        Self { files, settings }
    }
}

/// Identity of a file, which detects a replaced or changed one.
///
/// All of the file counts: a resumed import skips what was processed, and would never
/// read a correction there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFingerprint {
    name: String,
    bytes: u64,
    /// SHA-256 of its content.
    digest: String,
}

/// Position in a source before which everything is processed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CheckpointPosition {
    /// Number of items up to the position, records and errors alike.
    pub count: u64,
    /// Location of the last of them.
    pub last: Option<SourceLocation>,
}

/// Error of reading or writing a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file cannot be read or written.
    #[error("cannot use the checkpoint {}", path.display())]
    File {
        /// The path of the checkpoint.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file is not a checkpoint of this version.
    #[error(
        "{} is not a checkpoint of this version: remove it or choose another path with --checkpoint, then import from the beginning, which is always safe",
        .0.display()
    )]
    Malformed(PathBuf),
    /// The checkpoint belongs to another job, or the source has changed.
    #[error(
        "the checkpoint {} belongs to a different source, mapping, user, store or report: repeat the original arguments, or import without --resume, which is always safe",
        .0.display()
    )]
    JobMismatch(PathBuf),
}

impl Checkpoint {
    /// Reads the checkpoint at `path`, if there is one.
    ///
    /// # Errors
    /// It is unreadable, malformed, or belongs to another job.
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
            .map_err(|_| CheckpointError::Malformed(path.to_owned()))?;
        if checkpoint.job == *job {
            Ok(Some(checkpoint))
        } else {
            Err(CheckpointError::JobMismatch(path.to_owned()))
        }
    }

    /// Writes it atomically.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        // A concurrent import may use the same path.
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

    /// Removes the checkpoint of a finished import, if there is one.
    ///
    /// # Errors
    /// It exists and cannot be removed.
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
    /// Computes the fingerprint of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self, SourceError> {
        Self::compute(path)
            .map_err(|error| SourceError::unreadable(SourceLocation::start_of(path), &error))
    }

    fn compute(path: &Path) -> io::Result<Self> {
        const BUFFER_BYTES: usize = 128 * 1024;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, File::open(path)?);
        let mut hash = Sha256::new();
        let mut bytes = 0;
        loop {
            let part = match file.fill_buf() {
                Ok([]) => break,
                Ok(part) => part,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hash.update(part);
            let length = part.len();
            bytes += length as u64;
            file.consume(length);
        }
        Ok(Self {
            name: path.to_string_lossy().into_owned(),
            bytes,
            digest: hex::encode(hash.finalize()),
        })
    }
}

impl CheckpointPosition {
    /// Skips the items up to the position. Returns false if `should_continue`
    /// stopped it before.
    ///
    /// # Errors
    /// The source has other items than when the checkpoint was written.
    pub(super) fn skip(
        &self,
        records: &mut Records,
        should_continue: impl Fn() -> bool,
    ) -> Result<bool, SourceError> {
        let mut last = None;
        for _ in 0..self.count {
            if !should_continue() {
                return Ok(false);
            }
            last = records.next();
        }
        let location = match last {
            None => None,
            Some(Ok(record)) => Some(record.location),
            Some(Err(error)) => Some(error.location),
        };
        if location == self.last {
            return Ok(true);
        }
        let location = location.or_else(|| self.last.clone());
        Err(SourceError::new(
            location.unwrap_or_else(|| SourceLocation::new("the source", 0)),
            "the source has changed since the checkpoint: import without --resume, which is always safe",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_format_is_stable() {
        let text = concat!(
            r#"{"job":{"files":[{"name":"in","bytes":1,"digest":"ab"}],"settings":"00"},"#,
            r#""settled":{"count":1,"last":{"file":"in","offset":0}},"#,
            r#""ledger":{"rejected":0,"stored":1,"duplicate":0,"other":{},"damaged":0,"#,
            r#""readings":{"rejected":0,"stored":1,"duplicate":0,"superseded":0,"#,
            r#""implausible":0,"old_deleted":0}},"report":7}"#
        );
        let checkpoint: Checkpoint = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&checkpoint).unwrap(), text);
    }
}
