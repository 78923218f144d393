//! The file formats that an import accepts, and their detection.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::sources::firestore::{JsonFormat, ManagedExport};

/// Format of files to import.
///
/// Its `Debug` names are hashed into checkpoints: renaming a variant makes
/// existing checkpoints unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A managed export of Firestore.
    FirestoreExport,
    /// Firestore documents as JSON of a common tool.
    FirestoreJson,
    /// An Apple Health export.
    AppleHealth,
    /// Readings, one JSON object per line.
    Ndjson,
    /// Readings, one row each.
    Csv,
}

/// Documentation of a [`Format`], from which the command line, the detection
/// error and the reference page are made.
#[derive(Debug, Clone, Copy)]
pub struct FormatDoc {
    /// The format.
    pub format: Format,
    /// Its name on the command line.
    pub name: &'static str,
    /// A noun phrase.
    pub description: &'static str,
    /// The content by which it is detected, in Markdown.
    pub detection: &'static str,
}

const FORMATS: [FormatDoc; 5] = [
    FormatDoc {
        format: Format::FirestoreExport,
        name: "firestore-export",
        description: "the folder of a managed Firestore export",
        detection: "A folder with a file `*.overall_export_metadata` in it or one level below.",
    },
    FormatDoc {
        format: Format::FirestoreJson,
        name: "firestore-json",
        description: "Firestore documents as JSON of an npm tool",
        detection: "A JSON object with the structure that `node-firestore-import-export`, \
                    `firestore-export-import`, `@endran/firestore-export-import` or \
                    `firestore-backfire` writes.",
    },
    FormatDoc {
        format: Format::AppleHealth,
        name: "apple-health",
        description: "an Apple Health export (.xml or .zip)",
        detection: "A file that starts with `<` or `PK`.",
    },
    FormatDoc {
        format: Format::Ndjson,
        name: "ndjson",
        description: "readings as NDJSON",
        detection: "A first line that is a JSON object with a member `data_type` or `complete`.",
    },
    FormatDoc {
        format: Format::Csv,
        name: "csv",
        description: "readings as CSV",
        detection: "A header with a column `data_type`.",
    },
];

/// Returns the documentation of every format, in the order of the reference.
pub fn formats() -> &'static [FormatDoc] {
    &FORMATS
}

/// Error of locating a source or detecting its format.
#[derive(Debug, thiserror::Error)]
pub enum SourceDetectionError {
    /// The path cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The path of the source.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The path is neither a file nor a folder, such as a pipe.
    #[error(
        "{} is not a regular file: an import may read its source more than once, so write it to a file first",
        .0.display()
    )]
    NotAFile(PathBuf),
    /// The content matches no format.
    #[error(
        "{} has no recognized format: expected {}; set --format to override the detection",
        .0.display(),
        descriptions()
    )]
    UnknownFormat(PathBuf),
}

fn descriptions() -> String {
    let [others @ .., last] = FORMATS.map(|format| format.description);
    format!("{} or {last}", others.join(", "))
}

impl Format {
    /// Returns the format with this name on the command line.
    pub fn from_name(name: &str) -> Option<Self> {
        let found = FORMATS.iter().find(|format| format.name == name);
        found.map(|found| found.format)
    }

    /// Detects the format of a file or folder from its content.
    ///
    /// # Errors
    /// The path cannot be read, or its content matches no format.
    pub fn detect(path: &Path) -> Result<Self, SourceDetectionError> {
        const SNIFF_BYTES: u64 = 1 << 20;
        let unreadable = |source| SourceDetectionError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let unknown = || SourceDetectionError::UnknownFormat(path.to_owned());
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return match ManagedExport::is_at(path) {
                true => Ok(Self::FirestoreExport),
                false => Err(unknown()),
            };
        }
        let mut beginning = Vec::new();
        File::open(path)
            .and_then(|file| file.take(SNIFF_BYTES).read_to_end(&mut beginning))
            .map_err(unreadable)?;
        let text = beginning
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&beginning)
            .trim_ascii_start();
        if text.starts_with(b"PK") || text.starts_with(b"<") {
            return Ok(Self::AppleHealth);
        }
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if text.starts_with(b"{") {
            let first = serde_json::from_slice::<Value>(line);
            let is_reading = first.is_ok_and(|first| {
                first.get("data_type").is_some() || first.get("complete").is_some()
            });
            return match JsonFormat::detect(text) {
                _ if is_reading => Ok(Self::Ndjson),
                Some(_) => Ok(Self::FirestoreJson),
                None => Err(unknown()),
            };
        }
        let header = String::from_utf8_lossy(line);
        let is_header = header
            .split(',')
            .any(|name| name.trim().trim_matches('"') == "data_type");
        is_header.then_some(Self::Csv).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for documented in formats() {
            assert_eq!(Format::from_name(documented.name), Some(documented.format));
        }
        assert_eq!(Format::from_name("xml"), None);
    }
}
