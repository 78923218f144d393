//! Interrupted imports, and resuming them.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::{TempDir, tempdir};

use super::run::{Ran, import, imported, report};
use crate::service::command;

const LINES: usize = 40_000;

fn source() -> TempDir {
    let directory = tempdir().unwrap();
    let mut file = fs::File::create(directory.path().join("in.ndjson")).unwrap();
    let mut text = String::new();
    for index in 0..LINES {
        let (hour, minute, second) = (index / 3_600, index / 60 % 60, index % 60);
        text += &format!(
            "{{\"user_id\":\"jane\",\"data_type\":\"steps\",\"value\":{index},\"timestamp\":\"2024-01-15T{hour:02}:{minute:02}:{second:02}Z\"}}\n"
        );
    }
    file.write_all(text.as_bytes()).unwrap();
    directory
}

const ARGUMENTS: [&str; 6] = [
    "import",
    "in.ndjson",
    "--concurrency",
    "1",
    "--report",
    "out",
];

/// Starts an import and returns it once it has written a checkpoint.
fn start_until_checkpoint(directory: &Path) -> Child {
    let mut child = command(directory)
        .args(ARGUMENTS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !directory.join("clarity-import.checkpoint").exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before its first checkpoint"
        );
        assert!(Instant::now() < deadline, "it wrote no checkpoint");
        sleep(Duration::from_millis(20));
    }
    child
}

/// Resumes the import: every line is reported once, in order.
#[track_caller]
fn assert_resumes(directory: &Path, may_have_duplicates: bool) {
    let ran = imported(
        directory,
        &["in.ndjson", "--report", "out", "--resume", "--verify"],
    );
    assert_eq!(ran.count("records", "records"), LINES as u64);
    let counts = ["stored", "duplicate"].map(|name| ran.count("readings", name));
    assert_eq!(counts[0] + counts[1], LINES as u64);
    // Readings stored after the last checkpoint are duplicates.
    assert!(may_have_duplicates || counts[1] == 0, "{counts:?}");
    let lines = report(&directory.join("out"));
    assert_eq!(lines.len(), LINES);
    let offsets: Vec<u64> = lines
        .iter()
        .map(|line| line["offset"].as_u64().unwrap())
        .collect();
    assert!(offsets.is_sorted_by(|one, other| one < other));
    assert!(!directory.join("clarity-import.checkpoint").exists());
}

#[test]
fn killed_import_resumes() {
    let directory = source();
    let mut child = start_until_checkpoint(directory.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_resumes(directory.path(), true);
}

#[test]
fn interrupted_import_reports_progress_and_resumes() {
    let directory = source();
    let child = start_until_checkpoint(directory.path());
    let status = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
    let ran = Ran::from_output(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.complaints);
    assert!(ran.complaints.contains("--resume"), "{}", ran.complaints);
    let stored = ran.count("readings", "stored");
    assert!(stored > 0 && stored < LINES as u64);
    assert_eq!(report(&directory.path().join("out")).len() as u64, stored);
    assert_resumes(directory.path(), false);
}

#[test]
fn checkpoint_of_another_job_is_rejected() {
    let directory = source();
    let mut child = start_until_checkpoint(directory.path());
    child.kill().unwrap();
    child.wait().unwrap();
    let path = directory.path();
    let arguments = ["in.ndjson", "--report", "out", "--resume"];
    // Another report, another user, another file.
    let ran = import(path, &["in.ndjson", "--report", "other", "--resume"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("belongs to a different source"),
        "{}",
        ran.complaints
    );
    let ran = import(path, &[&arguments[..], &["--user", "john"]].concat());
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("belongs to a different source"),
        "{}",
        ran.complaints
    );
    // A change of the beginning, and one of the middle: line 10,000 of 40,000.
    let original = fs::read_to_string(path.join("in.ndjson")).unwrap();
    for (value, changed) in [
        ("\"value\":0", "\"value\":7"),
        ("\"value\":10000,", "\"value\":10009,"),
    ] {
        let text = original.replacen(value, changed, 1);
        assert!(text != original && text.len() == original.len());
        fs::write(path.join("in.ndjson"), text).unwrap();
        let ran = import(path, &arguments);
        assert_eq!(ran.code, 1, "{changed}");
        assert!(
            ran.complaints.contains("belongs to a different source"),
            "{}",
            ran.complaints
        );
    }
    fs::write(path.join("in.ndjson"), original).unwrap();
    assert_resumes(path, true);
}

#[test]
fn resume_without_the_report_is_rejected() {
    let directory = source();
    let mut child = start_until_checkpoint(directory.path());
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(directory.path().join("out")).unwrap();
    let ran = import(
        directory.path(),
        &["in.ndjson", "--report", "out", "--resume"],
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("import without --resume"),
        "{}",
        ran.complaints
    );
}

/// The later of two readings of one client record wins, in whatever batches they
/// are.
#[test]
fn client_records_keep_their_order() {
    let directory = tempdir().unwrap();
    let line = |day: u32, record: u32, value: u32| {
        format!(
            "{{\"user_id\":\"jane\",\"data_type\":\"steps\",\"value\":{value},\"timestamp\":\"2024-01-{day:02}T00:00:00Z\",\"client_record_id\":\"{record}\"}}\n"
        )
    };
    let lines: String = (0..40)
        .flat_map(|value| (0..500).map(move |record| line(1 + record % 28, record, value)))
        .collect();
    fs::write(directory.path().join("in.ndjson"), lines).unwrap();
    imported(directory.path(), &["in.ndjson", "--concurrency", "8"]);
    let last: String = (0..500)
        .map(|record| line(1 + record % 28, record, 39))
        .collect();
    fs::write(directory.path().join("last.ndjson"), last).unwrap();
    let ran = imported(directory.path(), &["last.ndjson", "--verify"]);
    ran.assert_counts(0, 500, 0);
}
