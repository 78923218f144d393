use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::archive::{self, ArchiveEntry};
use super::elements::AppleHealth;
use super::error::ExportError;
use super::inflate::DecompressedEntry;
use super::options::{ExportLimits, ExportOptions};
use super::prolog::{self, PrologError};
use crate::import::source_location::{SourceError, SourceLocation};

/// First bytes of a ZIP archive.
const ZIP_MAGIC: &[u8] = b"PK";

/// Size of a read buffer.
const BUFFER_BYTES: usize = 1 << 17;

impl AppleHealth {
    /// Opens an `export.xml`, or the `export.zip` around one.
    ///
    /// # Errors
    /// The file cannot be read or is not an export.
    pub fn open(path: &Path, options: &ExportOptions) -> Result<Self, SourceError> {
        let location = SourceLocation::start_of(path);
        let invalid = |problem: String| SourceError::new(location.clone(), problem);
        let unreadable = |error: io::Error| SourceError::unreadable(location.clone(), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        let mut magic = Vec::new();
        let count = ZIP_MAGIC.len() as u64;
        file.by_ref()
            .take(count)
            .read_to_end(&mut magic)
            .and_then(|_| file.rewind())
            .map_err(unreadable)?;
        if magic != ZIP_MAGIC {
            let source = BufReader::with_capacity(BUFFER_BYTES, file);
            return Self::read(location.file, source, Some(length), options);
        }
        let mut first_error = None;
        for entry in archive::xml_files(&mut file, options.limits).map_err(invalid)? {
            let source = entry_reader(&file, &entry, options.limits).map_err(unreadable)?;
            let name = format!("{}!{}", location.file, entry.name);
            match Self::read(name, source, Some(entry.sizes.expanded), options) {
                Ok(export) => return Ok(export),
                // The largest file comes first and is most likely the export.
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error.unwrap_or_else(|| invalid("contains no XML file".to_owned())))
    }

    /// Reads the XML of an export from any reader. `file` is its name in messages,
    /// and `length` its length in bytes, if known.
    ///
    /// # Errors
    /// The XML cannot be read or is not an export.
    pub fn read(
        file: impl Into<Arc<str>>,
        mut source: impl BufRead + Send + 'static,
        length: Option<u64>,
        options: &ExportOptions,
    ) -> Result<Self, SourceError> {
        let file: Arc<str> = file.into();
        let invalid = |offset, problem: String| {
            SourceError::new(SourceLocation::new(Arc::clone(&file), offset), problem)
        };
        let prolog =
            prolog::read(&mut source, options.limits.prolog).map_err(|error| match error {
                PrologError::Invalid(error) => invalid(0, error.to_string()),
                PrologError::Io(error) => invalid(0, unreadable(&error)),
            })?;
        let root = prolog.root;
        let source = after(prolog.bytes, root, source);
        Ok(Self::new(file, length, root as u64, source, options))
    }
}

fn unreadable(error: &io::Error) -> String {
    match error.get_ref() {
        Some(inner) if inner.is::<ExportError>() => inner.to_string(),
        _ => format!("cannot be read: {error}"),
    }
}

fn entry_reader(
    file: &File,
    entry: &ArchiveEntry,
    limits: ExportLimits,
) -> io::Result<BufReader<DecompressedEntry<File>>> {
    let mut file = file.try_clone()?;
    file.seek(SeekFrom::Start(entry.start))?;
    let source = DecompressedEntry::new(file, entry.is_deflated, entry.sizes, limits);
    Ok(BufReader::with_capacity(BUFFER_BYTES, source))
}

/// Returns a reader of `bytes` without the first `count`, followed by `source`.
fn after(
    bytes: Vec<u8>,
    count: usize,
    source: impl BufRead + Send + 'static,
) -> Box<dyn BufRead + Send> {
    let mut bytes = Cursor::new(bytes);
    bytes.set_position(count as u64);
    Box::new(bytes.chain(source))
}
