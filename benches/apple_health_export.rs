//! How fast a gigabyte of an export of Apple Health is read, and how much memory
//! it takes.
//!
//! `cargo bench --bench apple_health_export`; the export is in the directory for
//! temporary files meanwhile.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and fails where it stands"
)]

#[path = "../tests/support/apple_health_export.rs"]
mod apple_health_export;

use std::fs;
use std::io::{BufWriter, Write};
use std::time::Instant;

use clarity_backend::import::Content;
use clarity_backend::import::apple_health::{AppleHealth, Options};

const BYTES: u64 = 1_000_000_000;

fn main() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut output = BufWriter::new(file.as_file());
    let written = apple_health_export::write(&mut output, BYTES, 1).unwrap();
    output.flush().unwrap();
    drop(output);
    let options = Options::all(
        "jane".parse().unwrap(),
        "2026-01-01T00:00:00Z".parse().unwrap(),
    );
    let (idle, begin) = (resident(), Instant::now());
    let (mut readings, mut rejected, mut others, mut most) = (0, 0, 0, idle);
    for (index, item) in AppleHealth::open(file.path(), &options)
        .unwrap()
        .enumerate()
    {
        match item.unwrap().content {
            Content::Readings(parts) => {
                let good = parts.iter().flatten().count() as u64;
                readings += good;
                rejected += parts.len() as u64 - good;
            }
            Content::Other(_) => others += 1,
        }
        if index % 10_000 == 0 {
            most = most.max(resident());
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let all = (readings, rejected, others);
    assert_eq!(all, (written.readings, written.rejected, written.others));
    let megabytes = written.bytes / 1_000_000;
    let records = written.records;
    println!("{megabytes} MB, {records} records, {readings} readings in {seconds:.1} s");
    println!(
        "{:.0} MB/s, {} KiB above idle",
        f64::from(u32::try_from(megabytes).unwrap()) / seconds,
        most - idle
    );
}

/// KiB of memory that this process has.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
