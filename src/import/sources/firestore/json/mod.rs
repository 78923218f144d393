//! JSON files of common npm tools.
//!
//! JSON has fewer types than Firestore, and the tools lose some: a double without
//! a fraction becomes an integer, NaN and the infinities become null, and integers
//! beyond 2^53 are rounded. node-firestore-import-export writes bytes as a map of
//! numbers, which remains a map here.

mod events;
mod limits;
mod lines;
mod tree;
mod values;

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::Path;
use std::sync::Arc;

pub use self::events::JsonError;
use self::events::{JsonToken, JsonTokens};
use self::lines::{LineStyle, Lines};
use self::tree::{DocumentResult, SubCollections, Tree};
use super::document::{Document, LocatedDocument};
use crate::import::source_location::{SourceError, SourceLocation};

const ADVICE: &str = "export the data again or repair the file there, then repeat the import";

/// Tool that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFormat {
    /// `node-firestore-import-export`: one object under `__collections__`.
    NodeFirestoreImportExport,
    /// `firestore-export-import`: one object of collections.
    FirestoreExportImport,
    /// `firestore-backfire`: NDJSON with `path` and `data`.
    Backfire,
    /// `@endran/firestore-export-import`: an object by path, one document per line.
    Endran,
}

impl JsonFormat {
    /// Detects the tool from the beginning of a file; `None` if it is none of them.
    pub fn detect(beginning: impl Read) -> Option<Self> {
        let mut tokens = JsonTokens::new(beginning);
        let Ok(JsonToken::StartObject) = tokens.next() else {
            return None;
        };
        let Ok(JsonToken::Key(key)) = tokens.next() else {
            return None;
        };
        match (&*key, tokens.next().ok()?) {
            ("__collections__", JsonToken::StartObject) => Some(Self::NodeFirestoreImportExport),
            ("path", JsonToken::String(_)) => Some(Self::Backfire),
            (path, JsonToken::StartObject) if path.contains('/') => Some(Self::Endran),
            (_, JsonToken::StartObject) => {
                // Documents are objects; members of a reading's metadata need not be.
                let (Ok(JsonToken::Key(_)), Ok(JsonToken::StartObject)) =
                    (tokens.next(), tokens.next())
                else {
                    return None;
                };
                Some(Self::FirestoreExportImport)
            }
            _ => None,
        }
    }
}

/// Reader of a JSON file, one document at a time.
///
/// In formats with one document per line, a [`SourceError`] loses its line. In the
/// others it loses the rest of the file and the documents around it; a document
/// comes after those in its subcollections. Memory is bounded by the longest
/// document, 16 MiB of JSON, per level of subcollections.
pub struct JsonExport {
    name: Arc<str>,
    items: Box<dyn Iterator<Item = DocumentResult> + Send>,
    format: JsonFormat,
    total_bytes: u64,
}

impl JsonExport {
    /// Opens a file of one of the tools.
    ///
    /// # Errors
    /// The file cannot be read, or none of the tools wrote it.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |error| SourceError::unreadable(SourceLocation::start_of(path), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let Some(format) = JsonFormat::detect(&mut file) else {
            return Err(SourceError::new(
                SourceLocation::start_of(path),
                "is not JSON of a supported tool; export with \
                 node-firestore-import-export, firestore-export-import or firestore-backfire",
            ));
        };
        file.rewind().map_err(unreadable)?;
        let total_bytes = file.metadata().map_err(unreadable)?.len();
        Ok(Self {
            name: path.to_string_lossy().into(),
            items: items(file, format),
            format,
            total_bytes,
        })
    }

    /// Returns the tool that wrote the file.
    pub fn format(&self) -> JsonFormat {
        self.format
    }

    /// Returns the size of the file.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }
}

/// Returns the documents of a file in memory, or errors, each with its offset.
pub fn decode_json(
    bytes: &[u8],
    format: JsonFormat,
) -> impl Iterator<Item = Result<(u64, Document), (u64, JsonError)>> {
    items(bytes, format)
}

fn items<'a>(
    source: impl Read + Send + 'a,
    format: JsonFormat,
) -> Box<dyn Iterator<Item = DocumentResult> + Send + 'a> {
    match format {
        JsonFormat::NodeFirestoreImportExport => Box::new(Tree::new(source, SubCollections::Named)),
        JsonFormat::FirestoreExportImport => Box::new(Tree::new(source, SubCollections::Pathed)),
        JsonFormat::Backfire => Box::new(Lines::new(source, LineStyle::Whole)),
        JsonFormat::Endran => Box::new(Lines::new(source, LineStyle::Member)),
    }
}

impl Iterator for JsonExport {
    type Item = Result<LocatedDocument, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let location = |offset| SourceLocation::new(Arc::clone(&self.name), offset);
        Some(match self.items.next()? {
            Ok((offset, document)) => Ok((location(offset), document)),
            Err((offset, error)) => Err(SourceError::new(
                location(offset),
                format!("{error}; {ADVICE}"),
            )),
        })
    }
}
