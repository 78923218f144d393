use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::summary::RecordOutcome;
use crate::import::source_location::{SourceError, SourceLocation};

/// NDJSON file with a line for each record and source error.
pub struct Report {
    lines: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
}

/// Error of writing the report.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report {}", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: io::Error,
}

/// Line of a source error.
#[derive(Serialize)]
struct SourceErrorLine<'a> {
    #[serde(flatten)]
    location: &'a SourceLocation,
    outcome: &'static str,
    reason: &'a str,
}

impl Report {
    /// Opens the file and truncates it to `bytes`, the length at the checkpoint:
    /// the records of later lines are processed again.
    ///
    /// # Errors
    /// The file cannot be opened, or is shorter than `bytes`.
    pub fn open(path: &Path, bytes: u64) -> Result<Self, ReportError> {
        let opened = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)
            .and_then(|mut file| {
                if file.metadata()?.len() < bytes {
                    return Err(io::Error::other(
                        "it is not the report of the interrupted import: import without --resume, which is always safe",
                    ));
                }
                file.set_len(bytes)?;
                file.seek(SeekFrom::Start(bytes))?;
                Ok(file)
            });
        let error = |source| ReportError {
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            lines: BufWriter::new(opened.map_err(error)?),
            path: path.to_owned(),
            bytes,
        })
    }

    pub(super) fn record(&mut self, outcome: &RecordOutcome) -> Result<(), ReportError> {
        self.write_line(outcome)
    }

    pub(super) fn source_error(&mut self, error: &SourceError) -> Result<(), ReportError> {
        self.write_line(&SourceErrorLine {
            location: &error.location,
            outcome: "damaged",
            reason: &error.problem,
        })
    }

    fn write_line(&mut self, line: &impl Serialize) -> Result<(), ReportError> {
        let mut text = serde_json::to_vec(line).map_err(|error| self.error(error.into()))?;
        text.push(b'\n');
        self.bytes += text.len() as u64;
        let written = self.lines.write_all(&text);
        written.map_err(|error| self.error(error))
    }

    /// Syncs the file to disk and returns its length in bytes.
    pub(super) fn sync(&mut self) -> Result<u64, ReportError> {
        let synced = self.lines.flush();
        synced
            .and_then(|()| self.lines.get_ref().sync_data())
            .map_err(|error| self.error(error))?;
        Ok(self.bytes)
    }

    fn error(&self, source: io::Error) -> ReportError {
        let path = self.path.clone();
        ReportError { path, source }
    }
}
