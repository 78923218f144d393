use std::io::{self, Read};

use super::error::ExportError;

/// Start of the root element.
const ROOT: &[u8] = b"<HealthData";

/// Error of reading the prolog.
#[derive(Debug, thiserror::Error)]
pub enum PrologError {
    /// It is not an export.
    #[error(transparent)]
    Invalid(#[from] ExportError),
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Bytes read while searching for the root element.
pub struct Prolog {
    /// All bytes read.
    pub bytes: Vec<u8>,
    /// Offset of the root element in them.
    pub root: usize,
}

/// Reads up to the root element of an export, at most about `max_bytes`.
///
/// The prolog is not parsed: the document type in exports of iOS 16 lacks a `>`
/// (HealthKit Export Version 12), which every parser rejects. Nothing in it is
/// needed. Entity declarations, with which a small file can expand to a large
/// one, are rejected.
///
/// # Errors
/// The file is not an export in UTF-8, or cannot be read.
pub fn read(source: &mut impl Read, max_bytes: usize) -> Result<Prolog, PrologError> {
    let mut bytes = Vec::new();
    let mut scanner = RootScanner::default();
    loop {
        let before = bytes.len();
        source.take(1 << 13).read_to_end(&mut bytes)?;
        if let Some(root) = scanner.find(&bytes) {
            let prolog = bytes.get(..root).unwrap_or_default();
            check(prolog)?;
            return Ok(Prolog { root, bytes });
        }
        if bytes.len() == before || bytes.len() > max_bytes {
            check_encoding(&bytes)?;
            return Err(ExportError("is not an Apple Health export: no HealthData element").into());
        }
    }
}

/// Incremental search for the root element that skips comments.
#[derive(Default)]
struct RootScanner {
    /// Bytes that need not be searched again.
    scanned: usize,
    in_comment: bool,
}

impl RootScanner {
    fn find(&mut self, bytes: &[u8]) -> Option<usize> {
        const OPEN: &[u8] = b"<!--";
        const CLOSE: &[u8] = b"-->";
        loop {
            let rest = bytes.get(self.scanned..)?;
            if self.in_comment {
                let Some(at) = find_bytes(rest, CLOSE) else {
                    self.scanned += rest.len().saturating_sub(CLOSE.len() - 1);
                    return None;
                };
                self.scanned += at + CLOSE.len();
                self.in_comment = false;
                continue;
            }
            let at = rest.iter().position(|byte| *byte == b'<');
            let Some(at) = at else {
                self.scanned = bytes.len();
                return None;
            };
            self.scanned += at;
            let here = bytes.get(self.scanned..)?;
            if here.len() <= ROOT.len() {
                return None;
            }
            if let Some([next, ..]) = here.strip_prefix(ROOT)
                && (next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
            {
                return Some(self.scanned);
            }
            self.in_comment = here.starts_with(OPEN);
            self.scanned += if self.in_comment { OPEN.len() } else { 1 };
        }
    }
}

fn check(prolog: &[u8]) -> Result<(), ExportError> {
    check_encoding(prolog)?;
    if find_bytes(prolog, b"<!ENTITY").is_some() {
        return Err(ExportError(
            "declares entities, which no Apple Health export does",
        ));
    }
    Ok(())
}

fn check_encoding(prolog: &[u8]) -> Result<(), ExportError> {
    const NOT_UTF_8: ExportError =
        ExportError("is not UTF-8, the encoding of Apple Health exports");
    if prolog.starts_with(&[0xFE, 0xFF]) || prolog.starts_with(&[0xFF, 0xFE]) {
        return Err(NOT_UTF_8);
    }
    let declaration = find_bytes(prolog, b"?>").and_then(|end| prolog.get(..end));
    let declaration = declaration.unwrap_or_default().to_ascii_lowercase();
    if let Some(at) = find_bytes(&declaration, b"encoding") {
        let encoding = declaration.get(at..).unwrap_or_default();
        if find_bytes(encoding, b"utf-8").is_none() && find_bytes(encoding, b"us-ascii").is_none() {
            return Err(NOT_UTF_8);
        }
    }
    Ok(())
}

fn find_bytes(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Result<usize, String> {
        let read = read(&mut text.as_bytes(), 100_000);
        read.map(|beginning| beginning.root)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn root_element_is_found_after_any_prolog() {
        assert_eq!(root("<HealthData>").unwrap(), 0);
        assert_eq!(
            root("<?xml version='1.0'?>\n<HealthData locale='de'>"),
            Ok(22)
        );
        let commented = "<!-- <HealthData> --><HealthDatabase/><HealthData/>";
        assert_eq!(root(commented), Ok(38));
        for length in 8_150..8_250 {
            let text = format!("<!--{}--><HealthData >", " ".repeat(length));
            assert_eq!(root(&text), Ok(length + 7));
        }
        let unclosed =
            "<!DOCTYPE HealthData [<!ATTLIST HealthData a CDATA #IMPLIED\n]><HealthData>";
        assert_eq!(root(unclosed), Ok(62));
    }

    #[test]
    fn other_files_are_rejected() {
        for (text, reason) in [
            ("", "no HealthData"),
            ("<HealthData", "no HealthData"),
            ("<ClinicalDocument/>", "no HealthData"),
            (&"x".repeat(200_000), "no HealthData"),
            ("<!-- <HealthData>", "no HealthData"),
            (
                "<?xml version='1.0' encoding='ISO-8859-1'?><HealthData/>",
                "UTF-8",
            ),
            (
                "<!DOCTYPE HealthData [<!ENTITY a 'aaa'>]><HealthData/>",
                "entities",
            ),
        ] {
            assert!(root(text).unwrap_err().contains(reason), "{reason}");
        }
        let wide: Vec<u8> = "\u{feff}<HealthData/>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let error = read(&mut &*wide, 1000).err().unwrap();
        assert!(error.to_string().contains("UTF-8"));
    }
}
