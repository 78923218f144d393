//! Metadata of an export: its files and document counts.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Component, Path, PathBuf};

use super::log::LogReader;
use super::wire::{WireError, WireFields};
use crate::import::source_location::{SourceError, SourceLocation};

const OVERALL: &str = ".overall_export_metadata";

/// Maximum size of a metadata file: that of 100,000 output files has 2 MB.
const MAX_METADATA_BYTES: u64 = 16 * 1024 * 1024;

const ADVICE: &str = "export again, or download the export again from its bucket";

/// Part of an export: the documents of one kind, or of all.
#[derive(Debug)]
pub(super) struct ExportPart {
    /// The metadata file that lists the files.
    pub(super) metadata: PathBuf,
    /// Number of documents that the export declares.
    pub(super) documents: Option<u64>,
    pub(super) files: Vec<PathBuf>,
}

/// Returns the overall metadata file, which identifies an export: in the folder,
/// or one level below, where the emulator writes it.
pub(super) fn overall_file(folder: &Path) -> Result<PathBuf, SourceError> {
    let children = entries(folder)?;
    let found = |entries: &[PathBuf]| {
        let is_overall = |path: &&PathBuf| path.to_string_lossy().ends_with(OVERALL);
        entries.iter().find(is_overall).cloned()
    };
    if let Some(file) = found(&children) {
        return Ok(file);
    }
    for folder in children.iter().filter(|path| path.is_dir()) {
        if let Some(file) = found(&entries(folder)?) {
            return Ok(file);
        }
    }
    Err(SourceError::new(
        SourceLocation::start_of(folder),
        format!(
            "contains no file ending in {OVERALL}; pass the folder that `gcloud firestore export` \
             wrote"
        ),
    ))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let unreadable = |error| SourceError::unreadable(SourceLocation::start_of(folder), &error);
    let mut entries = fs::read_dir(folder)
        .map_err(unreadable)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    entries.sort();
    Ok(entries)
}

/// Reads the parts that the overall metadata lists.
pub(super) fn parts(overall: &Path) -> Result<Vec<ExportPart>, SourceError> {
    let file = open(overall)?;
    let folder = overall.parent().unwrap_or(Path::new(""));
    let mut parts = Vec::new();
    for record in LogReader::new(BufReader::new(file.take(MAX_METADATA_BYTES))) {
        let record = record.map_err(|(offset, error)| {
            let location = SourceLocation::new(overall.to_string_lossy(), offset);
            SourceError::new(location, format!("{error}; {ADVICE}"))
        })?;
        // The first record is only the start of a group, not a message.
        if record.bytes.len() < 2 {
            continue;
        }
        let listed = listed_parts(&record.bytes).map_err(|error| {
            let location = SourceLocation::new(overall.to_string_lossy(), record.offset);
            SourceError::new(location, format!("{error}; {ADVICE}"))
        })?;
        for (name, documents) in listed {
            let path = below(folder, &name).ok_or_else(|| escapes(overall))?;
            parts.push(ExportPart {
                files: files(&path)?,
                metadata: path,
                documents,
            });
        }
    }
    if parts.is_empty() {
        let problem = format!("lists no document metadata; {ADVICE}");
        return Err(SourceError::new(SourceLocation::start_of(overall), problem));
    }
    Ok(parts)
}

/// Returns the name of the metadata file and the declared number of documents of
/// each part.
fn listed_parts(record: &[u8]) -> Result<Vec<(String, Option<u64>)>, WireError> {
    let mut parts = Vec::new();
    for field in WireFields::new(record) {
        let (1, part) = field? else { continue };
        let (mut name, mut documents) = (None, None);
        for field in WireFields::new(part.bytes()?) {
            match field? {
                (2, wire) => name = Some(String::from_utf8_lossy(wire.bytes()?).into_owned()),
                (3, wire) => documents = Some(wire.varint()?),
                _ => {}
            }
        }
        parts.extend(name.map(|name| (name, documents)));
    }
    Ok(parts)
}

/// Reads the list of document files from the metadata of a part.
fn files(metadata: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut bytes = Vec::new();
    let read = open(metadata)?
        .take(MAX_METADATA_BYTES)
        .read_to_end(&mut bytes);
    read.map_err(|error| SourceError::unreadable(SourceLocation::start_of(metadata), &error))?;
    let names = listed_files(&bytes).map_err(|error| {
        SourceError::new(
            SourceLocation::start_of(metadata),
            format!("{error}; {ADVICE}"),
        )
    })?;
    let folder = metadata.parent().unwrap_or(Path::new(""));
    names
        .iter()
        .map(|name| below(folder, name).ok_or_else(|| escapes(metadata)))
        .collect()
}

fn listed_files(metadata: &[u8]) -> Result<Vec<String>, WireError> {
    let mut names = Vec::new();
    for field in WireFields::new(metadata) {
        let (2, kind) = field? else { continue };
        for field in WireFields::new(kind.bytes()?) {
            if let (2, name) = field? {
                names.push(String::from_utf8_lossy(name.bytes()?).into_owned());
            }
        }
    }
    Ok(names)
}

/// Returns a path in the folder; `None` for a name that leads out of it.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_normal = |part| matches!(part, Component::Normal(_));
    let is_below = !name.is_empty() && Path::new(name).components().all(is_normal);
    is_below.then(|| folder.join(name))
}

fn escapes(metadata: &Path) -> SourceError {
    let problem = format!("names a file outside the export's folder; {ADVICE}");
    SourceError::new(SourceLocation::start_of(metadata), problem)
}

fn open(path: &Path) -> Result<File, SourceError> {
    File::open(path)
        .map_err(|error| SourceError::unreadable(SourceLocation::start_of(path), &error))
}
