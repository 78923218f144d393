//! Exports in a ZIP archive, as a phone writes it.

use std::io::{Cursor, Write};

use clarity_backend::import::apple_health::{AppleHealth, ExportLimits};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::support::{Outcome, export, options, read};

const NAME: &str = "apple_health_export/export.xml";

fn archive(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in files {
        archive.start_file(*name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn deflated(files: &[(&str, &[u8])]) -> Vec<u8> {
    archive(files, CompressionMethod::Deflated)
}

fn open_with(bytes: &[u8], limits: ExportLimits) -> Outcome {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let mut options = options();
    options.limits = limits;
    Outcome::from_export(AppleHealth::open(file.path(), &options))
}

fn open(bytes: &[u8]) -> Outcome {
    open_with(bytes, ExportLimits::default())
}

#[test]
fn export_reads_the_same_from_an_archive() {
    let (xml, _) = export(300_000, 5);
    let expected = read(xml.clone());
    assert!(open(&xml) == expected);
    let document = format!(
        "<ClinicalDocument>{}</ClinicalDocument>",
        " ".repeat(400_000)
    );
    let files: &[(&str, &[u8])] = &[
        ("apple_health_export/export_cda.xml", document.as_bytes()),
        ("apple_health_export/workout-routes/route.gpx", b"<gpx/>"),
        ("apple_health_export/Exportieren.XML", &xml),
    ];
    assert!(open(&deflated(files)) == expected);
    assert!(open(&archive(files, CompressionMethod::Stored)) == expected);
}

#[test]
fn locations_name_the_file_in_the_archive() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&deflated(&[(NAME, b"<HealthData><Record>")]))
        .unwrap();
    let mut export = AppleHealth::open(file.path(), &options()).unwrap();
    assert_eq!(export.length(), Some(20));
    let error = export.next().unwrap().unwrap_err();
    let shown = error.to_string();
    let ending = "!apple_health_export/export.xml at byte 20: is truncated";
    assert!(
        shown.starts_with(file.path().to_str().unwrap()) && shown.contains(ending),
        "{shown}"
    );
    assert!(export.next().is_none());
}

#[test]
fn archives_without_an_export_are_rejected() {
    for (archive, reason) in [
        (deflated(&[]), "no XML file"),
        (deflated(&[("a.txt", b"<HealthData/>")]), "no XML file"),
        (
            deflated(&[("a.xml", b"<ClinicalDocument/>")]),
            "no HealthData",
        ),
        (b"PK".to_vec(), "archive"),
        (b"PK\x03\x04 and so on".repeat(1_000), "archive"),
    ] {
        let outcome = open(&archive);
        assert!(outcome.reason().contains(reason), "{}", outcome.reason());
    }
    let path = std::env::temp_dir().join("no such export.xml");
    let missing = Outcome::from_export(AppleHealth::open(&path, &options()));
    assert!(missing.reason().contains("cannot be read"));
}

/// Returns the offset of the central directory header of the only file.
fn directory(archive: &[u8]) -> usize {
    archive
        .windows(4)
        .rposition(|window| window == b"PK\x01\x02")
        .unwrap()
}

fn end_of_directory(archive: &[u8]) -> usize {
    archive
        .windows(4)
        .rposition(|window| window == b"PK\x05\x06")
        .unwrap()
}

#[test]
fn unsupported_archives_are_rejected() {
    let good = deflated(&[(NAME, b"<HealthData/>")]);
    assert_eq!(open(&good).error, None);
    let mut encrypted = good.clone();
    let at = directory(&good);
    encrypted[at + 8] |= 1;
    encrypted[6] |= 1;
    assert!(open(&encrypted).reason().contains("encrypted"));
    let mut lzma = good.clone();
    lzma[at + 10] = 14;
    lzma[8] = 14;
    assert!(
        open(&lzma).reason().contains("not deflated"),
        "{}",
        open(&lzma).reason()
    );
    let mut several = good.clone();
    several[end_of_directory(&good) + 4] = 2;
    assert!(open(&several).error.is_some());
}

#[test]
fn corrupt_archives_are_detected() {
    let (xml, _) = export(6_000, 9);
    let whole = read(xml.clone());
    let good = deflated(&[(NAME, &xml)]);
    assert_eq!(open(&good), whole);
    for length in 0..good.len() {
        assert!(
            open(&good[..length]).error.is_some(),
            "truncated at {length}"
        );
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1 << (at % 8);
        let outcome = open(&bytes);
        // Some bytes, such as those of a time, are not used.
        let is_whole = outcome.error.is_none();
        assert!(!is_whole || outcome.items == whole.items, "flipped at {at}");
    }
}

#[test]
fn zip_bombs_are_stopped() {
    let mut xml = b"<HealthData>".to_vec();
    xml.resize(2 << 20, b' ');
    let bomb = deflated(&[(NAME, &xml)]);
    assert!(bomb.len() < 100_000);
    let mut limits = ExportLimits {
        markup: usize::MAX,
        ratio_exempt_bytes: 1 << 16,
        ..ExportLimits::default()
    };
    let outcome = open_with(&bomb, limits);
    assert!(outcome.reason().contains("bomb"), "{}", outcome.reason());
    limits.expanded = 1 << 15;
    let outcome = open_with(&bomb, limits);
    assert!(
        outcome.reason().contains("the limit"),
        "{}",
        outcome.reason()
    );
    let names: Vec<String> = (0..2_000).map(|number| format!("{number}.gpx")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let limits = ExportLimits {
        zip_directory: 10_000,
        ..ExportLimits::default()
    };
    let outcome = open_with(&deflated(&files), limits);
    assert!(
        outcome.reason().contains("list of files"),
        "{}",
        outcome.reason()
    );
}
