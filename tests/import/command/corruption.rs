//! Corrupt sources: intact records are stored, errors are reported.

use std::fs;

use serde_json::json;
use tempfile::tempdir;

use super::run::{import, report};
use crate::apple_health_export;
use crate::firestore_support::ExportFixture;

#[test]
fn flipped_bit_loses_its_block_and_is_reported_with_its_location() {
    let directory = tempdir().unwrap();
    let folder = directory.path().join("export");
    fs::create_dir(&folder).unwrap();
    let export = (0..1_000).fold(ExportFixture::new(), |export, minute| {
        let time = format!("2025-06-03T{:02}:{:02}:00Z", minute / 60, minute % 60);
        let fields = json!({
            "user_id": {"stringValue": "jane"}, "type": {"stringValue": "steps"},
            "value": {"integerValue": "1"}, "created_at": {"timestampValue": time},
        });
        export.document(&format!("health_data/{minute}"), &fields)
    });
    export.write_to(&folder);
    let output = ExportFixture::output(&folder, 0);
    let mut bytes = fs::read(&output).unwrap();
    bytes[40_000] ^= 0x10;
    fs::write(&output, &bytes).unwrap();
    let ran = import(directory.path(), &["export", "--report", "out"]);
    assert_eq!(ran.code, 1, "{}", ran.complaints);
    assert!(
        ran.complaints.contains("output-0 at byte"),
        "{}",
        ran.complaints
    );
    assert!(
        ran.complaints.contains("declares 1000 documents"),
        "{}",
        ran.complaints
    );
    let stored = ran.count("readings", "stored");
    assert!((200..1_000).contains(&stored), "{stored}");
    assert_eq!(ran.count("source errors", "source errors"), 2);
    let lines = report(&directory.path().join("out"));
    let damaged = lines
        .iter()
        .filter(|line| line["outcome"] == "damaged")
        .count();
    assert_eq!((damaged, lines.len() as u64), (2, stored + 2));
}

#[test]
fn truncated_export_keeps_earlier_records() {
    let directory = tempdir().unwrap();
    let mut xml = Vec::new();
    apple_health_export::write(&mut xml, 100_000, 3).unwrap();
    fs::write(directory.path().join("cut.xml"), &xml[..xml.len() / 2]).unwrap();
    let ran = import(directory.path(), &["cut.xml", "--user", "jane"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("cut.xml at byte"),
        "{}",
        ran.complaints
    );
    assert!(
        ran.complaints.contains("export again for the rest"),
        "{}",
        ran.complaints
    );
    assert!(ran.count("readings", "stored") > 50);
}

#[test]
fn entities_are_not_expanded() {
    let directory = tempdir().unwrap();
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE HealthData [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]>\
        <HealthData><Record type=\"&b;\"/></HealthData>";
    fs::write(directory.path().join("bomb.xml"), bomb).unwrap();
    let ran = import(directory.path(), &["bomb.xml", "--user", "jane"]);
    assert_eq!(ran.code, 1);
    assert_rejected(&ran.complaints);
}

#[track_caller]
fn assert_rejected(complaints: &str) {
    assert!(complaints.contains("bomb.xml"), "{complaints}");
    assert!(!complaints.contains("panicked"), "{complaints}");
}
