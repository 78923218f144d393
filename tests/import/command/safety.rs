//! Protection of files and of the terminal.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::{TempDir, tempdir};

use super::run::{import, imported, report};

const LINE: &str =
    r#"{"user_id":"jane","data_type":"heart_rate","value":60,"timestamp":"2024-01-15T10:30:00Z"}"#;

fn source() -> TempDir {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("in.ndjson"), format!("{LINE}\n")).unwrap();
    directory
}

#[track_caller]
fn assert_rejected(directory: &Path, arguments: &[&str], complaint: &str) {
    let ran = import(directory, arguments);
    assert_eq!(ran.code, 1, "{}{}", ran.summary, ran.complaints);
    assert!(ran.complaints.contains(complaint), "{}", ran.complaints);
}

#[test]
fn inputs_are_never_overwritten() {
    let directory = source();
    let path = directory.path();
    let whole = format!("{LINE}\n");
    std::os::unix::fs::symlink("in.ndjson", path.join("link")).unwrap();
    fs::hard_link(path.join("in.ndjson"), path.join("twin")).unwrap();
    fs::write(path.join("map.toml"), "").unwrap();
    for option in ["--report", "--checkpoint"] {
        for name in ["in.ndjson", "./in.ndjson", "link", "twin"] {
            assert_rejected(path, &["in.ndjson", option, name], "would be overwritten");
            assert_eq!(fs::read_to_string(path.join("in.ndjson")).unwrap(), whole);
        }
        let arguments = ["in.ndjson", "--map", "map.toml", option, "map.toml"];
        assert_rejected(path, &arguments, "would be overwritten");
    }
    let arguments = ["in.ndjson", "--report", "out", "--checkpoint", "out"];
    assert_rejected(path, &arguments, "would be overwritten");
    // A dry run writes a report, too.
    let arguments = ["in.ndjson", "--dry-run", "--report", "in.ndjson"];
    assert_rejected(path, &arguments, "would be overwritten");
    assert_eq!(fs::read_to_string(path.join("in.ndjson")).unwrap(), whole);
}

#[test]
fn foreign_file_at_the_checkpoint_path_is_preserved() {
    let directory = source();
    fs::write(directory.path().join("notes"), "mine").unwrap();
    let arguments = ["in.ndjson", "--checkpoint", "notes"];
    assert_rejected(directory.path(), &arguments, "is not a checkpoint");
    let notes = fs::read_to_string(directory.path().join("notes")).unwrap();
    assert_eq!(notes, "mine");
}

#[test]
fn pipe_is_rejected_without_blocking() {
    let directory = tempdir().unwrap();
    let made = Command::new("mkfifo")
        .arg(directory.path().join("pipe"))
        .status();
    assert!(made.unwrap().success());
    assert_rejected(directory.path(), &["pipe"], "is not a regular file");
    let arguments = ["pipe", "--format", "ndjson"];
    assert_rejected(directory.path(), &arguments, "is not a regular file");
}

#[test]
fn error_cause_is_printed_once() {
    let directory = source();
    let ran = import(directory.path(), &["nothing"]);
    assert_eq!(ran.complaints.matches("No such file").count(), 1);
    let ran = import(directory.path(), &["in.ndjson", "--report", "."]);
    assert_eq!(ran.complaints.matches("directory").count(), 1);
    let ran = import(directory.path(), &["in.ndjson", "--checkpoint", "no/c"]);
    assert_eq!(
        (ran.code, ran.complaints.matches("No such file").count()),
        (1, 1)
    );
}

#[test]
fn control_characters_are_not_printed() {
    let directory = tempdir().unwrap();
    let document = r#"{"path":"evil\u001b[2J/1","data":{}}"#;
    fs::write(directory.path().join("in.json"), document).unwrap();
    let ran = imported(directory.path(), &["in.json", "--report", "out"]);
    assert_eq!(ran.count("records", "collection evil"), 1);
    assert!(!ran.summary.contains('\u{1b}'));
    let lines = report(&directory.path().join("out"));
    assert_eq!(lines[0]["kind"], "collection evil\u{1b}[2J");
}

#[test]
fn possible_truncation_is_reported() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("in.csv");
    let rows = "user_id,data_type,timestamp,value\njane,weight,2024-01-15T10:30:00Z,81\njane,weight,2024-01-16T10:30:00Z,8";
    fs::write(&path, rows).unwrap();
    let ran = imported(directory.path(), &["in.csv", "--report", "out"]);
    ran.assert_counts(1, 0, 1);
    let lines = report(&directory.path().join("out"));
    let reason = lines[1]["readings"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("no line break at its end"), "{reason}");
    fs::write(&path, format!("{rows}\n")).unwrap();
    imported(directory.path(), &["in.csv"]).assert_counts(1, 1, 0);

    // An export ends with its number of readings; without it, it is truncated.
    imported(directory.path(), &["in.csv"]);
    let id = lines[0]["readings"][0]["data_id"].as_str().unwrap();
    let line = format!(
        r#"{{"data_id":"{id}","user_id":"jane","data_type":"weight","value":81,"timestamp":"2024-01-15T10:30:00Z","created_at":"2024-01-15T10:31:00Z"}}"#
    );
    fs::write(directory.path().join("in.ndjson"), format!("{line}\n")).unwrap();
    let ran = import(directory.path(), &["in.ndjson"]);
    assert_eq!(ran.code, 1);
    ran.assert_counts(0, 1, 0);
    assert!(
        ran.complaints.contains("lacks the last line"),
        "{}",
        ran.complaints
    );
    let whole = format!("{line}\n{}\n", r#"{"complete":true,"count":1}"#);
    fs::write(directory.path().join("in.ndjson"), whole).unwrap();
    imported(directory.path(), &["in.ndjson"]).assert_counts(0, 1, 0);
}

#[test]
fn repeated_column_is_rejected() {
    let directory = tempdir().unwrap();
    let rows = "user_id,data_type,value,timestamp,value\njane,steps,1,2024-01-15T10:30:00Z,2\n";
    fs::write(directory.path().join("in.csv"), rows).unwrap();
    assert_rejected(directory.path(), &["in.csv"], "column 5");
}
