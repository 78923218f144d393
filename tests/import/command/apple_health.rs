//! Apple Health exports.

use std::fs::File;
use std::io::{BufWriter, Write as _};

use tempfile::tempdir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::run::{imported, readings};
use crate::apple_health_export;

#[tokio::test]
async fn xml_and_zip_yield_the_same_readings() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("export.xml");
    let mut xml = Vec::new();
    let written = apple_health_export::write(&mut xml, 300_000, 7).unwrap();
    std::fs::write(&path, &xml).unwrap();
    let ran = imported(
        directory.path(),
        &["export.xml", "--user", "jane", "--verify"],
    );
    let total = ran.count("readings", "stored") + ran.count("readings", "duplicate");
    assert_eq!(total, written.readings);
    assert_eq!(ran.count("readings", "rejected"), written.rejected);
    assert_eq!(ran.count("records", "other"), written.others);

    let file = File::create(directory.path().join("export.zip")).unwrap();
    let mut archive = ZipWriter::new(BufWriter::new(file));
    archive
        .start_file(
            "apple_health_export/export.xml",
            SimpleFileOptions::default(),
        )
        .unwrap();
    archive.write_all(&xml).unwrap();
    archive.finish().unwrap();
    let again = imported(directory.path(), &["export.zip", "--user", "jane"]);
    again.assert_counts(0, written.readings, written.rejected);
    let stored = ran.count("readings", "stored");
    let readings = readings(directory.path(), "jane").await;
    assert_eq!(readings.len() as u64, stored);
}
