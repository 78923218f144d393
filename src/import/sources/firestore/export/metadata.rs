//! What an export says of itself: which files hold documents, and how many.

use std::fs::{self, File};
use std::io::{BufReader, Read as _};
use std::path::{Component, Path, PathBuf};

use super::log::LogReader;
use super::wire::{Fields, WireError};
use crate::import::source_location::{SourceError, SourceLocation};

const OVERALL: &str = ".overall_export_metadata";

/// The longest metadata file that is read: that of 100,000 output files has
/// 2 MB.
const MAX_METADATA_BYTES: u64 = 16 * 1024 * 1024;

const ADVICE: &str = "make the export again, or fetch it again from its bucket";

/// The documents of one kind, or of all.
#[derive(Debug)]
pub(super) struct Part {
    /// The metadata file that lists the files.
    pub(super) metadata: PathBuf,
    /// How many documents the export says there are.
    pub(super) documents: Option<u64>,
    pub(super) files: Vec<PathBuf>,
}

/// The file that makes a folder an export: in it, or one level below, as the
/// emulator's command writes it.
pub(super) fn overall_file(folder: &Path) -> Result<PathBuf, SourceError> {
    let below = entries(folder)?;
    let found = |entries: &[PathBuf]| {
        let is_overall = |path: &&PathBuf| path.to_string_lossy().ends_with(OVERALL);
        entries.iter().find(is_overall).cloned()
    };
    if let Some(file) = found(&below) {
        return Ok(file);
    }
    for folder in below.iter().filter(|path| path.is_dir()) {
        if let Some(file) = found(&entries(folder)?) {
            return Ok(file);
        }
    }
    Err(SourceError::new(
        SourceLocation::start_of(folder),
        format!(
            "holds no file that ends in {OVERALL}; name the folder that `gcloud firestore export` \
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

/// The parts that the export's overall metadata names.
pub(super) fn parts(overall: &Path) -> Result<Vec<Part>, SourceError> {
    let file = open(overall)?;
    let folder = overall.parent().unwrap_or(Path::new(""));
    let mut parts = Vec::new();
    for record in LogReader::new(BufReader::new(file.take(MAX_METADATA_BYTES))) {
        let record = record.map_err(|(offset, fault)| {
            let place = SourceLocation::new(overall.to_string_lossy(), offset);
            SourceError::new(place, format!("{fault}; {ADVICE}"))
        })?;
        // The first record is a group's beginning alone: no message.
        if record.bytes.len() < 2 {
            continue;
        }
        let listed = listed_parts(&record.bytes).map_err(|fault| {
            let place = SourceLocation::new(overall.to_string_lossy(), record.offset);
            SourceError::new(place, format!("{fault}; {ADVICE}"))
        })?;
        for (name, documents) in listed {
            let path = below(folder, &name).ok_or_else(|| escapes(overall))?;
            parts.push(Part {
                files: files(&path)?,
                metadata: path,
                documents,
            });
        }
    }
    if parts.is_empty() {
        let problem = format!("lists no documents' metadata; {ADVICE}");
        return Err(SourceError::new(SourceLocation::start_of(overall), problem));
    }
    Ok(parts)
}

/// Name of the metadata file and count of documents of each part.
fn listed_parts(record: &[u8]) -> Result<Vec<(String, Option<u64>)>, WireError> {
    let mut parts = Vec::new();
    for field in Fields::of(record) {
        let (1, part) = field? else { continue };
        let (mut name, mut documents) = (None, None);
        for field in Fields::of(part.bytes()?) {
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

/// The files with documents that a part's metadata names.
fn files(metadata: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut bytes = Vec::new();
    let read = open(metadata)?
        .take(MAX_METADATA_BYTES)
        .read_to_end(&mut bytes);
    read.map_err(|error| SourceError::unreadable(SourceLocation::start_of(metadata), &error))?;
    let names = listed_files(&bytes).map_err(|fault| {
        SourceError::new(
            SourceLocation::start_of(metadata),
            format!("{fault}; {ADVICE}"),
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
    for field in Fields::of(metadata) {
        let (2, kind) = field? else { continue };
        for field in Fields::of(kind.bytes()?) {
            if let (2, name) = field? {
                names.push(String::from_utf8_lossy(name.bytes()?).into_owned());
            }
        }
    }
    Ok(names)
}

/// A file below the folder; nothing for a name that leads out of it.
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
