use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::archive::{self, Entry};
use super::elements::AppleHealth;
use super::error::ExportError;
use super::inflate::DecompressedEntry;
use super::options::{ExportLimits, ExportOptions};
use super::prolog::{self, PrologError};
use crate::import::source_location::{SourceError, SourceLocation};

/// What a file of an archive begins with.
const ARCHIVE: &[u8] = b"PK";

/// Bytes that are read from a file at a time.
const CHUNK: usize = 1 << 17;

impl AppleHealth {
    /// Opens an `export.xml`, or the `export.zip` around one.
    ///
    /// # Errors
    /// When the file cannot be read or is no export.
    pub fn open(path: &Path, options: &ExportOptions) -> Result<Self, SourceError> {
        let place = SourceLocation::start_of(path);
        let damage = |problem: String| SourceError::new(place.clone(), problem);
        let unreadable = |error: io::Error| SourceError::unreadable(place.clone(), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut magic = Vec::new();
        let count = ARCHIVE.len() as u64;
        file.by_ref()
            .take(count)
            .read_to_end(&mut magic)
            .and_then(|_| file.rewind())
            .map_err(unreadable)?;
        if magic != ARCHIVE {
            let source = BufReader::with_capacity(CHUNK, file);
            return Self::read(place.file, source, Some(length), options);
        }
        let mut refusal = None;
        for entry in archive::xml_files(&mut file, options.limits).map_err(damage)? {
            let source = expanded(&file, &entry, options.limits).map_err(unreadable)?;
            let name = format!("{}!{}", place.file, entry.name);
            match Self::read(name, source, Some(entry.sizes.expanded), options) {
                Ok(export) => return Ok(export),
                // The largest comes first, and it should be the export.
                Err(damage) => refusal = refusal.or(Some(damage)),
            }
        }
        Err(refusal.unwrap_or_else(|| damage("has no XML file in it".to_owned())))
    }

    /// Reads an export's XML from anywhere, naming it `file`. `length` is how
    /// many bytes it has, if that is known.
    ///
    /// # Errors
    /// When it cannot be read or is no export.
    pub fn read(
        file: impl Into<Arc<str>>,
        mut source: impl BufRead + Send + 'static,
        length: Option<u64>,
        options: &ExportOptions,
    ) -> Result<Self, SourceError> {
        let file: Arc<str> = file.into();
        let damage = |offset, problem: String| {
            SourceError::new(SourceLocation::new(Arc::clone(&file), offset), problem)
        };
        let beginning =
            prolog::read(&mut source, options.limits.prolog).map_err(|error| match error {
                PrologError::Refused(refusal) => damage(0, refusal.to_string()),
                PrologError::Io(error) => damage(0, unreadable(&error)),
            })?;
        let root = beginning.root;
        let source = rest(beginning.bytes, root, source);
        Ok(Self::new(file, length, root as u64, source, options))
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) if inner.is::<ExportError>() => inner.to_string(),
        _ => format!("cannot be read: {error}"),
    }
}

fn expanded(
    file: &File,
    entry: &Entry,
    limits: ExportLimits,
) -> io::Result<BufReader<DecompressedEntry<File>>> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(entry.start))?;
    let source = DecompressedEntry::new(file, entry.is_deflated, entry.sizes, limits);
    Ok(BufReader::with_capacity(CHUNK, source))
}

/// What follows the first `count` of `bytes`, which were read from `source`.
fn rest(
    bytes: Vec<u8>,
    count: usize,
    source: impl BufRead + Send + 'static,
) -> Box<dyn BufRead + Send> {
    let mut bytes = Cursor::new(bytes);
    bytes.set_position(count as u64);
    Box::new(bytes.chain(source))
}
