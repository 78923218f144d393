//! Files of JSON as the usual npm tools write them.
//!
//! JSON has fewer types than Firestore, and the tools lose some: a double
//! without a fraction reads as an integer; NaN and the infinities as null;
//! integers beyond 2^53 are rounded; node-firestore-import-export writes bytes
//! as a map of numbers, which is what they stay here.

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
use self::events::{Event, Events};
use self::lines::{Line, Lines};
use self::tree::{Item, SubCollections, Tree};
use super::document::{Document, PlacedDocument};
use crate::import::source_location::{SourceError, SourceLocation};

const ADVICE: &str = "export the data again, or mend the file there, and import it anew";

/// The tool that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonFormat {
    /// `node-firestore-import-export`: one object under `__collections__`.
    NodeFirestoreImportExport,
    /// `firestore-export-import`: one object of collections.
    FirestoreExportImport,
    /// `firestore-backfire`: NDJSON with `path` and `data`.
    Backfire,
    /// `@endran/firestore-export-import`: an object by path, a line each.
    Endran,
}

impl JsonFormat {
    /// Tells the tool by how a file begins; nothing for a file of none.
    pub fn of(beginning: impl Read) -> Option<Self> {
        let mut events = Events::new(beginning);
        let Ok(Event::StartObject) = events.next() else {
            return None;
        };
        let Ok(Event::Key(key)) = events.next() else {
            return None;
        };
        match (&*key, events.next().ok()?) {
            ("__collections__", Event::StartObject) => Some(Self::NodeFirestoreImportExport),
            ("path", Event::String(_)) => Some(Self::Backfire),
            (path, Event::StartObject) if path.contains('/') => Some(Self::Endran),
            (_, Event::StartObject) => {
                // A collection holds documents, which a reading's metadata may not.
                let (Ok(Event::Key(_)), Ok(Event::StartObject)) = (events.next(), events.next())
                else {
                    return None;
                };
                Some(Self::FirestoreExportImport)
            }
            _ => None,
        }
    }
}

/// Reads a file of JSON, one document at a time.
///
/// In the formats of a document a line, a [`SourceError`] costs its line. In the
/// others it costs the rest of the file, and the documents around it; a
/// document comes after those in its sub-collections. Memory is bounded by the
/// longest document, 16 MiB of JSON, for each level of sub-collections.
pub struct JsonExport {
    name: Arc<str>,
    items: Box<dyn Iterator<Item = Item> + Send>,
    format: JsonFormat,
    total_bytes: u64,
}

impl JsonExport {
    /// Opens a file of one of the tools.
    ///
    /// # Errors
    /// When it cannot be read, or is of none of them.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let unreadable = |error| SourceError::unreadable(SourceLocation::start_of(path), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let Some(format) = JsonFormat::of(&mut file) else {
            return Err(SourceError::new(
                SourceLocation::start_of(path),
                "is not JSON of a tool that is known here; export with \
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

    /// The tool that wrote the file.
    pub fn format(&self) -> JsonFormat {
        self.format
    }

    /// The file's bytes, for a progress bar.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes
    }
}

/// The documents of a file in memory, each with where it begins in bytes; in
/// the stead of what cannot be read, where and why.
pub fn decode_json(
    bytes: &[u8],
    format: JsonFormat,
) -> impl Iterator<Item = Result<(u64, Document), (u64, JsonError)>> {
    items(bytes, format)
}

fn items<'a>(
    source: impl Read + Send + 'a,
    format: JsonFormat,
) -> Box<dyn Iterator<Item = Item> + Send + 'a> {
    match format {
        JsonFormat::NodeFirestoreImportExport => Box::new(Tree::new(source, SubCollections::Named)),
        JsonFormat::FirestoreExportImport => Box::new(Tree::new(source, SubCollections::Pathed)),
        JsonFormat::Backfire => Box::new(Lines::new(source, Line::Whole)),
        JsonFormat::Endran => Box::new(Lines::new(source, Line::Member)),
    }
}

impl Iterator for JsonExport {
    type Item = Result<PlacedDocument, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = |offset| SourceLocation::new(Arc::clone(&self.name), offset);
        Some(match self.items.next()? {
            Ok((offset, document)) => Ok((place(offset), document)),
            Err((offset, fault)) => Err(SourceError::new(
                place(offset),
                format!("{fault}; {ADVICE}"),
            )),
        })
    }
}
