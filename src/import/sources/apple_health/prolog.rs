use std::io::{self, Read};

use super::error::ExportError;

/// What every export's first element is called.
const ROOT: &[u8] = b"<HealthData";

/// Why an XML file has no readings.
#[derive(Debug, thiserror::Error)]
pub enum PrologError {
    /// It is something else.
    #[error(transparent)]
    Refused(#[from] ExportError),
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What was read of an export while looking for its first element.
pub struct Prolog {
    /// All that was read.
    pub bytes: Vec<u8>,
    /// Where in it the first element begins.
    pub root: usize,
}

/// Reads up to the first element of an export, at most `longest` bytes and a
/// little more.
///
/// What stands before it is not parsed, as the document type in exports of
/// iOS 16 lacks a `>` (HealthKit Export Version 12) and no parser takes it.
/// Nothing in it is needed: declarations of entities, by which a small file
/// could become a large one, are refused rather than believed.
///
/// # Errors
/// When it is not an export in UTF-8, or cannot be read.
pub fn read(source: &mut impl Read, longest: usize) -> Result<Prolog, PrologError> {
    let mut bytes = Vec::new();
    let mut scan = Scan::default();
    loop {
        let before = bytes.len();
        source.take(1 << 13).read_to_end(&mut bytes)?;
        if let Some(root) = scan.root(&bytes) {
            let prolog = bytes.get(..root).unwrap_or_default();
            check(prolog)?;
            return Ok(Prolog { root, bytes });
        }
        if bytes.len() == before || bytes.len() > longest {
            check_encoding(&bytes)?;
            return Err(
                ExportError("is not an export of Apple Health: no HealthData element").into(),
            );
        }
    }
}

/// Looks for the first element, passing over comments.
#[derive(Default)]
struct Scan {
    /// Before this there is nothing to look at any more.
    seen: usize,
    in_comment: bool,
}

impl Scan {
    fn root(&mut self, bytes: &[u8]) -> Option<usize> {
        const OPEN: &[u8] = b"<!--";
        const CLOSE: &[u8] = b"-->";
        loop {
            let rest = bytes.get(self.seen..)?;
            if self.in_comment {
                let Some(at) = find(rest, CLOSE) else {
                    self.seen += rest.len().saturating_sub(CLOSE.len() - 1);
                    return None;
                };
                self.seen += at + CLOSE.len();
                self.in_comment = false;
                continue;
            }
            let at = rest.iter().position(|byte| *byte == b'<');
            let Some(at) = at else {
                self.seen = bytes.len();
                return None;
            };
            self.seen += at;
            let here = bytes.get(self.seen..)?;
            if here.len() <= ROOT.len() {
                return None;
            }
            if let Some([next, ..]) = here.strip_prefix(ROOT)
                && (next.is_ascii_whitespace() || matches!(next, b'>' | b'/'))
            {
                return Some(self.seen);
            }
            self.in_comment = here.starts_with(OPEN);
            self.seen += if self.in_comment { OPEN.len() } else { 1 };
        }
    }
}

fn check(prolog: &[u8]) -> Result<(), ExportError> {
    check_encoding(prolog)?;
    if find(prolog, b"<!ENTITY").is_some() {
        return Err(ExportError(
            "declares entities, which no export of Apple Health does",
        ));
    }
    Ok(())
}

fn check_encoding(prolog: &[u8]) -> Result<(), ExportError> {
    const NOT_UTF_8: ExportError = ExportError("is not in UTF-8, as exports of Apple Health are");
    if prolog.starts_with(&[0xFE, 0xFF]) || prolog.starts_with(&[0xFF, 0xFE]) {
        return Err(NOT_UTF_8);
    }
    let declaration = find(prolog, b"?>").and_then(|end| prolog.get(..end));
    let declaration = declaration.unwrap_or_default().to_ascii_lowercase();
    if let Some(at) = find(&declaration, b"encoding") {
        let encoding = declaration.get(at..).unwrap_or_default();
        if find(encoding, b"utf-8").is_none() && find(encoding, b"us-ascii").is_none() {
            return Err(NOT_UTF_8);
        }
    }
    Ok(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
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
    fn the_first_element_is_found_behind_anything() {
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
    fn what_is_no_export_is_refused() {
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
