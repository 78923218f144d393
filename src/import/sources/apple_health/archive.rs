use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use super::inflate::Sizes;
use super::options::ExportLimits;
use crate::import::limited_reader::LimitedReader;

/// A file in a `.zip`, and where its bytes are.
pub struct Entry {
    /// Its path there, without what a terminal could not show.
    pub name: String,
    /// Where in the archive its bytes begin.
    pub start: u64,
    /// How many they are.
    pub sizes: Sizes,
    /// Whether they are deflated; they are stored as they are if not.
    pub is_deflated: bool,
}

/// The most files whose beginnings are looked at.
const CANDIDATES: usize = 16;

/// The most characters of a name that are shown.
const LONGEST_NAME: usize = 200;

/// The XML files of a `.zip`, the largest first. What the one of records is
/// called depends on the phone's language: `export.xml`, `Exportieren.xml`.
///
/// # Errors
/// A sentence on why the archive cannot be used.
pub fn xml_files(file: &mut File, limits: ExportLimits) -> Result<Vec<Entry>, String> {
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
    candidates.truncate(CANDIDATES);
    candidates
        .into_iter()
        .map(|(index, _)| entry(&mut archive, index))
        .collect()
}

fn entry<R: Read + Seek>(archive: &mut ZipArchive<R>, index: usize) -> Result<Entry, String> {
    let entry = archive
        .by_index_raw(index)
        .map_err(|error| reason(&error))?;
    if entry.encrypted() {
        return Err("the archive is encrypted: expand it with its password first".to_owned());
    }
    let is_deflated = match entry.compression() {
        zip::CompressionMethod::Stored => false,
        zip::CompressionMethod::Deflated => true,
        _ => return Err("the archive is not deflated: expand it first".to_owned()),
    };
    Ok(Entry {
        name: String::from_utf8_lossy(entry.name_raw())
            .chars()
            .filter(|letter| !letter.is_control())
            .take(LONGEST_NAME)
            .collect(),
        start: entry
            .data_start()
            .ok_or("the archive does not say where its files begin")?,
        sizes: Sizes {
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
            format!("the archive is damaged or was cut off: {error}")
        }
        _ => error.to_string(),
    }
}
