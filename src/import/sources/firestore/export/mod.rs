//! A managed export: the folder that `gcloud firestore export` and the
//! emulator write.
//!
//! `*.overall_export_metadata` names each part's metadata with its count of
//! documents, that names the `output-*` files, and they hold a document per
//! [record](log) as an [entity].

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
use self::metadata::Part;
use super::document::PlacedDocument;
use crate::import::source_location::{SourceError, SourceLocation};

const ADVICE: &str =
    "fetch the file again from its bucket, or make the export again, and import it anew";

/// How many documents a part of an export has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartCounts {
    /// The part's metadata file.
    pub part: PathBuf,
    /// How many there should be, if the export says so.
    pub expected: Option<u64>,
    /// How many records were whole with sound checksums: documents, and
    /// [`SourceError`]s that name a record which is not one.
    pub found: u64,
}

impl PartCounts {
    /// Whether there are as many as there should be.
    pub fn is_complete(&self) -> bool {
        self.expected.is_none_or(|expected| expected == self.found)
    }
}

/// Reads a managed export, one document at a time, file by file.
///
/// SourceError in a file costs the record it is in, and those in the same block
/// after it; what comes before, the next blocks and the next files are read. A
/// file that cannot be opened is a [`SourceError`] too, and at the end so is a count
/// of documents that differs from what the export says. Memory is bounded by the
/// longest record, [`MAX_RECORD_BYTES`](log::MAX_RECORD_BYTES).
pub struct ManagedExport {
    parts: Vec<PartCounts>,
    files: VecDeque<(usize, PathBuf)>,
    open: Option<OpenFile>,
    /// How many parts were compared with their count of documents.
    checked: usize,
}

struct OpenFile {
    part: usize,
    name: Arc<str>,
    records: LogReader<File>,
}

/// A record's bytes, or what is wrong, and where.
type Outcome = (SourceLocation, Result<Vec<u8>, String>);

impl ManagedExport {
    /// Whether a folder is a managed export.
    pub fn is_at(folder: &Path) -> bool {
        folder.is_dir() && metadata::overall_file(folder).is_ok()
    }

    /// Opens the export in a folder: the one with `*.overall_export_metadata`,
    /// or the one around it.
    ///
    /// # Errors
    /// When there is none, or its metadata cannot be read.
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

    /// The files of documents, in the order in which they are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(_, file)| file.as_path())
    }

    /// How many documents each part should have, and has so far.
    pub fn tallies(&self) -> &[PartCounts] {
        &self.parts
    }

    /// What is told once all files are read: parts that do not have as many
    /// documents as they should.
    fn shortfall(&mut self) -> Option<SourceError> {
        while let Some(tally) = self.parts.get(self.checked) {
            self.checked += 1;
            if let Some(expected) = tally.expected.filter(|it| *it != tally.found) {
                let problem = format!(
                    "says that there are {expected} documents, and {} whole records were found; \
                     {ADVICE}",
                    tally.found
                );
                return Some(SourceError::new(
                    SourceLocation::start_of(&tally.part),
                    problem,
                ));
            }
        }
        None
    }

    /// Counts and decodes a record, or tells the damage in its stead.
    fn item(&mut self, part: usize, outcome: Outcome) -> Result<PlacedDocument, SourceError> {
        let counted = self.parts.get_mut(part).filter(|_| outcome.1.is_ok());
        if let Some(tally) = counted {
            tally.found += 1;
        }
        let (place, outcome) = outcome;
        let problem = match outcome {
            Ok(bytes) => match decode_entity(&bytes) {
                Ok(document) => return Ok((place, document)),
                Err(fault) => fault.to_string(),
            },
            Err(problem) => problem,
        };
        Err(SourceError::new(place, format!("{problem}; {ADVICE}")))
    }

    /// Opens the next file; nothing when there are no more.
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
    fn next(&mut self) -> Option<Outcome> {
        let outcome = self.records.next()?;
        let offset = match &outcome {
            Ok(record) => record.offset,
            Err((offset, _)) => *offset,
        };
        let place = SourceLocation::new(Arc::clone(&self.name), offset);
        let bytes = outcome.map(|record| record.bytes);
        Some((place, bytes.map_err(|(_, fault)| fault.to_string())))
    }
}

impl Iterator for ManagedExport {
    type Item = Result<PlacedDocument, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(open) = &mut self.open else {
                match self.open_next() {
                    Some(Ok(())) => continue,
                    Some(Err(damage)) => return Some(Err(damage)),
                    None => return self.shortfall().map(Err),
                }
            };
            let part = open.part;
            let Some(outcome) = open.next() else {
                self.open = None;
                continue;
            };
            return Some(self.item(part, outcome));
        }
    }
}

impl From<Part> for PartCounts {
    fn from(part: Part) -> Self {
        Self {
            part: part.metadata,
            expected: part.documents,
            found: 0,
        }
    }
}
