use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::inflate::DeclaredSizes;
use super::options::ExportLimits;
use crate::import::limited_reader::LimitedReader;

/// File in a ZIP archive.
pub struct ArchiveEntry {
    /// Its path in the archive, without control characters.
    pub name: String,
    /// Offset of its data in the archive.
    pub start: u64,
    /// Its sizes and checksum according to the archive.
    pub sizes: DeclaredSizes,
    /// True if its data is deflated; otherwise it is stored uncompressed.
    pub is_deflated: bool,
}

/// Maximum number of files that are probed for an export.
const MAX_CANDIDATES: usize = 16;

/// Maximum length of a name in messages, in characters.
const MAX_NAME_CHARS: usize = 200;

/// Returns the XML files of a ZIP archive, the largest first. The name of the
/// export depends on the phone's language: `export.xml`, `Exportieren.xml`.
///
/// # Errors
/// The archive is corrupt or unsupported, as text.
pub fn xml_files(file: &mut File, limits: ExportLimits) -> Result<Vec<ArchiveEntry>, String> {
    let source = LimitedReader::new(
        BufReader::new(file),
        limits.zip_directory,
        "the archive's list of files is missing or larger than the limit",
    );
    let mut archive = ZipArchive::new(source).map_err(|error| reason(&error))?;
    let mut candidates: Vec<(usize, u64)> = (0..archive.len())
        .filter_map(|index| {
            let entry = archive.by_index_data(index).ok()?;
            let is_xml = entry.name_raw().to_ascii_lowercase().ends_with(b".xml");
            (is_xml && entry.is_file()).then(|| (index, entry.size()))
        })
        .collect();
    candidates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    candidates.truncate(MAX_CANDIDATES);
    candidates
        .into_iter()
        .map(|(index, _)| entry(&mut archive, index))
        .collect()
}

fn entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    index: usize,
) -> Result<ArchiveEntry, String> {
    let entry = archive
        .by_index_raw(index)
        .map_err(|error| reason(&error))?;
    if entry.encrypted() {
        return Err("the archive is encrypted: extract it first".to_owned());
    }
    let is_deflated = match entry.compression() {
        zip::CompressionMethod::Stored => false,
        zip::CompressionMethod::Deflated => true,
        _ => return Err("the archive is not deflated: extract it first".to_owned()),
    };
    Ok(ArchiveEntry {
        name: String::from_utf8_lossy(entry.name_raw())
            .chars()
            .filter(|letter| !letter.is_control())
            .take(MAX_NAME_CHARS)
            .collect(),
        start: entry
            .data_start()
            .ok_or("the archive does not declare where its files start")?,
        sizes: DeclaredSizes {
            compressed: entry.compressed_size(),
            expanded: entry.size(),
            crc: entry.crc32(),
        },
        is_deflated,
    })
}

fn reason(error: &ZipError) -> String {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => error.to_string(),
        ZipError::InvalidArchive(_) | ZipError::Io(_) => {
            format!("the archive is corrupt or truncated: {error}")
        }
        _ => error.to_string(),
    }
}
