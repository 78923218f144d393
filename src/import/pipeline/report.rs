use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::summary::RecordOutcome;
use crate::import::source_location::{SourceError, SourceLocation};

/// A file in which each record is told of, a JSON text a line.
pub struct Report {
    lines: BufWriter<File>,
    path: PathBuf,
    bytes: u64,
}

/// That the report cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the report {}", path.display())]
pub struct ReportError {
    path: PathBuf,
    source: io::Error,
}

/// The line of something that cannot be read.
#[derive(Serialize)]
struct SourceErrorLine<'a> {
    #[serde(flatten)]
    place: &'a SourceLocation,
    outcome: &'static str,
    reason: &'a str,
}

impl Report {
    /// Opens the file; what stands behind its first `bytes` is of records that
    /// are not dealt with yet, and goes.
    ///
    /// # Errors
    /// When it cannot be opened, or is shorter than that.
    pub fn open(path: &Path, bytes: u64) -> Result<Self, ReportError> {
        let opened = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)
            .and_then(|mut file| {
                if file.metadata()?.len() < bytes {
                    return Err(io::Error::other(
                        "it is not that of the import that was interrupted: import without --resume, which is safe at any time",
                    ));
                }
                file.set_len(bytes)?;
                file.seek(SeekFrom::Start(bytes))?;
                Ok(file)
            });
        let fault = |source| ReportError {
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            lines: BufWriter::new(opened.map_err(fault)?),
            path: path.to_owned(),
            bytes,
        })
    }

    pub(super) fn record(&mut self, done: &RecordOutcome) -> Result<(), ReportError> {
        self.line(done)
    }

    pub(super) fn damage(&mut self, damage: &SourceError) -> Result<(), ReportError> {
        self.line(&SourceErrorLine {
            place: &damage.place,
            outcome: "damaged",
            reason: &damage.problem,
        })
    }

    fn line(&mut self, line: &impl Serialize) -> Result<(), ReportError> {
        let mut text = serde_json::to_vec(line).map_err(|error| self.fault(error.into()))?;
        text.push(b'\n');
        self.bytes += text.len() as u64;
        let written = self.lines.write_all(&text);
        written.map_err(|error| self.fault(error))
    }

    /// Puts everything so far onto the disk, and tells how many bytes it is.
    pub(super) fn sync(&mut self) -> Result<u64, ReportError> {
        let synced = self.lines.flush();
        synced
            .and_then(|()| self.lines.get_ref().sync_data())
            .map_err(|error| self.fault(error))?;
        Ok(self.bytes)
    }

    fn fault(&self, source: io::Error) -> ReportError {
        let path = self.path.clone();
        ReportError { path, source }
    }
}
