//! A managed export: the folder that `gcloud firestore export` and the
//! emulator write.
//!
//! `*.overall_export_metadata` lists the metadata file of each part with its
//! number of documents; that lists the `output-*` files, which contain a document
//! per [record](log) as an [entity].

mod document_path;
pub(super) mod entity;
pub(super) mod error;
pub(super) mod log;
mod metadata;
mod property;
mod wire;

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::entity::decode_entity;
use self::log::LogReader;
use self::metadata::ExportPart;
use super::document::LocatedDocument;
use crate::import::source_location::{SourceError, SourceLocation};

const ADVICE: &str =
    "download the file again from its bucket or export again, then repeat the import";

/// Number of documents in a part of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartCounts {
    /// The metadata file of the part.
    pub part: PathBuf,
    /// Number of documents that the export declares, if it does.
    pub expected: Option<u64>,
    /// Number of complete records with valid checksums: documents, and records
    /// reported as a [`SourceError`] because they are not documents.
    pub found: u64,
}

impl PartCounts {
    /// Returns whether all declared documents were found.
    pub fn is_complete(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.found)
    }
}

/// Reader of a managed export, one document at a time, file by file.
///
/// Corruption in a file loses its record and later ones in the same block;
/// everything before, the next blocks and the next files are read. A file that
/// cannot be opened is a [`SourceError`] too and, at the end, so is a number of
/// documents other than declared. Memory is bounded by the longest record,
/// [`MAX_RECORD_BYTES`](log::MAX_RECORD_BYTES).
pub struct ManagedExport {
    parts: Vec<PartCounts>,
    files: VecDeque<(usize, PathBuf)>,
    open: Option<OpenFile>,
    /// Number of parts whose count was compared.
    checked: usize,
}

struct OpenFile {
    part: usize,
    name: Arc<str>,
    records: LogReader<File>,
}

/// Bytes of a record or the problem with it, and its location.
type RecordBytes = (SourceLocation, Result<Vec<u8>, String>);

impl ManagedExport {
    /// Returns whether a folder is a managed export.
    pub fn is_at(folder: &Path) -> bool {
        folder.is_dir() && metadata::overall_file(folder).is_ok()
    }

    /// Opens the export in the folder with `*.overall_export_metadata`, or in the
    /// folder that contains it.
    ///
    /// # Errors
    /// The folder is not an export, or its metadata cannot be read.
    pub fn open(folder: &Path) -> Result<Self, SourceError> {
        let overall = metadata::overall_file(folder)?;
        let parts = metadata::parts(&overall)?;
        let files = parts.iter().enumerate();
        let files: VecDeque<_> = files
            .flat_map(|(part, it)| it.files.iter().map(move |file| (part, file.clone())))
            .collect();
        Ok(Self {
            parts: parts.into_iter().map(PartCounts::from).collect(),
            files,
            open: None,
            checked: 0,
        })
    }

    /// Returns the document files, in the order in which they are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(_, file)| file.as_path())
    }

    /// Returns the declared number of documents of each part, and that found so far.
    pub fn part_counts(&self) -> &[PartCounts] {
        &self.parts
    }

    /// Returns an error for the next part whose number of documents differs from the
    /// declared one. Called after all files are read.
    fn count_mismatch(&mut self) -> Option<SourceError> {
        while let Some(counts) = self.parts.get(self.checked) {
            self.checked += 1;
            if let Some(expected) = counts.expected.filter(|it| *it != counts.found) {
                let problem = format!(
                    "declares {expected} documents, but {} intact records were found; {ADVICE}",
                    counts.found
                );
                return Some(SourceError::new(
                    SourceLocation::start_of(&counts.part),
                    problem,
                ));
            }
        }
        None
    }

    /// Counts and decodes a record.
    fn document(
        &mut self,
        part: usize,
        record: RecordBytes,
    ) -> Result<LocatedDocument, SourceError> {
        let counted = self.parts.get_mut(part).filter(|_| record.1.is_ok());
        if let Some(counts) = counted {
            counts.found += 1;
        }
        let (location, bytes) = record;
        let problem = match bytes {
            Ok(bytes) => match decode_entity(&bytes) {
                Ok(document) => return Ok((location, document)),
                Err(error) => error.to_string(),
            },
            Err(problem) => problem,
        };
        Err(SourceError::new(location, format!("{problem}; {ADVICE}")))
    }

    /// Opens the next file; `None` after the last.
    fn open_next(&mut self) -> Option<Result<(), SourceError>> {
        let (part, path) = self.files.pop_front()?;
        let name: Arc<str> = path.to_string_lossy().into();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => {
                return Some(Err(SourceError::unreadable(
                    SourceLocation::new(name, 0),
                    &error,
                )));
            }
        };
        self.open = Some(OpenFile {
            part,
            name,
            records: LogReader::new(file),
        });
        Some(Ok(()))
    }
}

impl OpenFile {
    fn next(&mut self) -> Option<RecordBytes> {
        let record = self.records.next()?;
        let offset = match &record {
            Ok(record) => record.offset,
            Err((offset, _)) => *offset,
        };
        let location = SourceLocation::new(Arc::clone(&self.name), offset);
        let bytes = record.map(|record| record.bytes);
        Some((location, bytes.map_err(|(_, error)| error.to_string())))
    }
}

impl Iterator for ManagedExport {
    type Item = Result<LocatedDocument, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(open) = &mut self.open else {
                match self.open_next() {
                    Some(Ok(())) => continue,
                    Some(Err(error)) => return Some(Err(error)),
                    None => return self.count_mismatch().map(Err),
                }
            };
            let part = open.part;
            let Some(record) = open.next() else {
                self.open = None;
                continue;
            };
            return Some(self.document(part, record));
        }
    }
}

impl From<ExportPart> for PartCounts {
    fn from(part: ExportPart) -> Self {
        Self {
            part: part.metadata,
            expected: part.documents,
            found: 0,
        }
    }
}
