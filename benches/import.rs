//! Throughput and peak memory of importing an Apple Health export into the
//! embedded store: a dry run, a first import, a repeated one and a verified one.
//!
//! `cargo bench --bench import` generates 100 MB;
//! `cargo bench --bench import -- 1000` generates a gigabyte.
#![expect(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its results and fails by panicking"
)]

#[path = "../tests/support/apple_health_export.rs"]
mod apple_health_export;
#[path = "../tests/process/service.rs"]
#[expect(dead_code, reason = "the tests of the binary use the rest")]
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
    for (name, arguments) in [
        ("dry run", &["--dry-run"][..]),
        ("first import", &[]),
        ("repeated import", &[]),
        ("repeated and verified", &["--verify"]),
    ] {
        let (time, peak) = run(directory.path(), arguments);
        let rate = |count: u64| count as f64 / time.as_secs_f64();
        println!(
            "  {name:<26} {:>6.1} MB/s, {:>8.0} readings/s, peak {peak} MiB (target: at most 64 above idle)",
            rate(megabytes),
            rate(written.readings)
        );
    }
    let store = directory.path().join("clarity-data/readings.redb");
    println!(
        "  store size: {} MB",
        store.metadata().unwrap().len() / 1_000_000
    );
}

/// Imports the export and returns the duration and the peak memory in MiB.
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
        // The process may have just exited.
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
        peak = status.map_or(peak, |status| peak.max(memory(&status)));
        sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    (started.elapsed(), peak)
}

/// Returns the peak memory of a process in MiB.
fn memory(status: &str) -> u64 {
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    kibibytes.map_or(0, |kibibytes| kibibytes.parse::<u64>().unwrap() / 1024)
}
