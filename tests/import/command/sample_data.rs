//! Exports written by Google's own tools, and real readings.

use std::path::PathBuf;

use tempfile::tempdir;

use super::run::imported;

fn sample(path: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");
    PathBuf::from(folder)
        .join(path)
        .to_str()
        .unwrap()
        .to_owned()
}

#[test]
#[cfg_attr(not(sample_exports), ignore = "requires ../shared/firestore")]
fn realistic_export_is_imported() {
    let directory = tempdir().unwrap();
    let export = sample("firestore/clarity-lifesnaps");
    let ran = imported(directory.path(), &[&export, "--verify"]);
    assert_eq!(ran.count("records", "records"), 3_001);
    // Two documents have no values at all.
    ran.assert_counts(4_722, 0, 2);
    imported(directory.path(), &[&export]).assert_counts(0, 4_722, 2);
}

#[test]
#[cfg_attr(not(all(sample_data, sample_exports)), ignore = "requires ../shared")]
fn all_export_formats_yield_the_same_readings() {
    let directory = tempdir().unwrap();
    let export = sample("firestore/emulator-made/firestore_export");
    imported(directory.path(), &[&export]).assert_counts(3, 0, 0);
    for tool in [
        "node-firestore-import-export.json",
        "firestore-export-import.json",
        "backfire.ndjson",
    ] {
        let file = sample(&format!("firestore/json-tools/{tool}"));
        let ran = imported(directory.path(), &[&file]);
        ran.assert_counts(0, 3, 0);
    }
    let readings = sample("data/hall_cgm.jsonl");
    let ran = imported(directory.path(), &[&readings, "--verify"]);
    ran.assert_counts(5_795, 0, 0);
}
