//! Imports that are interrupted, and go on.

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

/// An import that has left a checkpoint and is not done yet.
fn under_way(directory: &Path) -> Child {
    let mut child = command(directory)
        .args(ARGUMENTS)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !directory.join("clarity-import.checkpoint").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before");
        assert!(Instant::now() < deadline, "it left no checkpoint");
        sleep(Duration::from_millis(20));
    }
    child
}

/// What was interrupted goes on: every line is told of once, in its order.
#[track_caller]
fn goes_on(directory: &Path, may_be_held: bool) {
    let ran = imported(
        directory,
        &["in.ndjson", "--report", "out", "--resume", "--verify"],
    );
    assert_eq!(ran.count("records", "records"), LINES as u64);
    let held = ["stored", "duplicate"].map(|name| ran.count("readings", name));
    assert_eq!(held[0] + held[1], LINES as u64);
    // What was stored after the last checkpoint is found there.
    assert!(may_be_held || held[1] == 0, "{held:?}");
    let told = report(&directory.join("out"));
    assert_eq!(told.len(), LINES);
    let offsets: Vec<u64> = told
        .iter()
        .map(|line| line["offset"].as_u64().unwrap())
        .collect();
    assert!(offsets.is_sorted_by(|one, other| one < other));
    assert!(!directory.join("clarity-import.checkpoint").exists());
}

#[test]
fn what_is_killed_goes_on() {
    let directory = source();
    let mut child = under_way(directory.path());
    child.kill().unwrap();
    child.wait().unwrap();
    goes_on(directory.path(), true);
}

#[test]
fn what_is_stopped_tells_how_far_it_came_and_goes_on() {
    let directory = source();
    let child = under_way(directory.path());
    let told = Command::new("kill")
        .args(["-s", "INT", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.complaints);
    assert!(ran.complaints.contains("--resume"), "{}", ran.complaints);
    let stored = ran.count("readings", "stored");
    assert!(stored > 0 && stored < LINES as u64);
    assert_eq!(report(&directory.path().join("out")).len() as u64, stored);
    goes_on(directory.path(), false);
}

#[test]
fn a_checkpoint_of_other_input_is_refused() {
    let directory = source();
    let mut child = under_way(directory.path());
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
    let mut text = fs::read_to_string(path.join("in.ndjson")).unwrap();
    text = text.replacen("\"value\":0", "\"value\":7", 1);
    fs::write(path.join("in.ndjson"), text).unwrap();
    let ran = import(path, &arguments);
    assert_eq!(ran.code, 1);
    assert!(
        ran.complaints.contains("belongs to a different source"),
        "{}",
        ran.complaints
    );
}

#[test]
fn a_report_that_is_gone_is_not_gone_on_with() {
    let directory = source();
    let mut child = under_way(directory.path());
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

/// Where a client told twice of one record, the later word counts, in whatever
/// batches the two are.
#[test]
fn records_of_clients_keep_their_order() {
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
