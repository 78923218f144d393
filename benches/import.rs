//! How fast an export of Apple Health moves into the embedded store, and how
//! much memory that takes: read alone, stored, and stored once more.
//!
//! `cargo bench --bench import` takes 100 MB, which it makes;
//! `cargo bench --bench import -- 1000` takes a gigabyte.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails where it stands"
)]

#[path = "../tests/support/apple_health_export.rs"]
mod apple_health_export;
#[path = "../tests/process/service.rs"]
#[expect(dead_code, reason = "the tests of the binary need more of it")]
mod service;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

const MEGABYTES: u64 = 100;

fn main() {
    let megabytes = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(MEGABYTES);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = File::create(directory.path().join("export.xml")).unwrap();
    let mut output = BufWriter::new(file);
    let written = apple_health_export::write(&mut output, megabytes * 1_000_000, 1).unwrap();
    output.flush().unwrap();
    println!(
        "{megabytes} MB with {} records, {} readings",
        written.records, written.readings
    );
    for (what, arguments) in [
        ("read", &["--dry-run"][..]),
        ("stored", &[]),
        ("stored again", &[]),
        ("stored again and verified", &["--verify"]),
    ] {
        let (time, peak) = run(directory.path(), arguments);
        let rate = |count: u64| count as f64 / time.as_secs_f64();
        println!(
            "  {what:<26} {:>6.1} MB/s, {:>8.0} readings a second, at most {peak} MiB (wanted: at most 64 above idle)",
            rate(megabytes),
            rate(written.readings)
        );
    }
    let store = directory.path().join("clarity-data/readings.redb");
    println!(
        "  the store has {} MB",
        store.metadata().unwrap().len() / 1_000_000
    );
}

/// Imports the export, and tells how long it took and the most MiB of memory.
fn run(directory: &Path, arguments: &[&str]) -> (Duration, u64) {
    let started = Instant::now();
    let mut child = service::command(directory)
        .args(["import", "export.xml", "--user", "jane"])
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        // It may just have ended.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        peak = status.map_or(peak, |status| peak.max(memory(&status)));
        sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    (started.elapsed(), peak)
}

/// The most MiB of memory that a process ever had.
fn memory(status: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes.map_or(0, |kibibytes| kibibytes.parse::<u64>().unwrap() / 1024)
}
