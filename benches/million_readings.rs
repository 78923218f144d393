//! What a million readings of one user cost beside a thousand: the newest, one
//! type's newest and a page in the middle of the embedded store, and the memory
//! that the service takes to export them.
//!
//! `cargo bench --bench million_readings`; takes about a minute.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails where it stands"
)]

#[path = "../tests/process/service.rs"]
#[expect(dead_code, reason = "the tests of the binary need more of it")]
mod service;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, MeasurementTime, Metadata, Order, PageSize, Reading,
    ReadingId, ReadingValue, TimeRange,
};
use clarity_backend::store::{EmbeddedStore, ReadingStore, put_batch};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use self::service::Service;

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;
const PAGES: usize = 2_000;

fn main() {
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (few, many) = (directory.path().join("few"), directory.path().join("many"));
    let [of_few, of_many] = [(&few, FEW), (&many, MANY)]
        .map(|(folder, count)| runtime.block_on(measure(folder, count)));
    println!("a page of 50 of the embedded store, median of {PAGES}");
    for (index, what) in ["newest", "one type's newest", "in the middle"]
        .into_iter()
        .enumerate()
    {
        let (few, many) = (of_few[index], of_many[index]);
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!(
            "  {what:<18} of {FEW} {few:>9.1?}, of {MANY} {many:>9.1?}: {ratio:.2} times (wanted: below 2)"
        );
    }
    runtime.block_on(export(&many));
}

/// The `number`th reading, one every 5 seconds; every fourth counts steps.
fn reading(number: u32) -> Reading {
    let second = 1_700_000_000 + 5 * i64::from(number);
    let time = Timestamp::from_second(second).unwrap();
    let data_type = if number.is_multiple_of(4) {
        "steps"
    } else {
        "heart_rate"
    };
    let measurement = Measurement {
        user_id: "user123".parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        value: ReadingValue::try_from(72.0).unwrap(),
        timestamp: MeasurementTime::parse_any(&time.to_string()).unwrap(),
        unit: None,
        metadata: Metadata::parse(r#"{"source":"watch","granularity":"5s"}"#).unwrap(),
        client_record: None,
    };
    Reading::take_in(measurement, time)
}

/// Fills a store with so many readings, and measures its three pages.
async fn measure(folder: &Path, count: u32) -> [Duration; 3] {
    let store = EmbeddedStore::open(folder).unwrap();
    let started = Instant::now();
    let numbers: Vec<u32> = (0..count).collect();
    for some in numbers.chunks(5_000) {
        let batch = some.iter().map(|number| reading(*number)).collect();
        for outcome in put_batch(&store, batch).await {
            outcome.unwrap();
        }
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    println!("{count} readings written by batches of 5000: {rate:.0} a second");
    let steps = DataTypes::try_from(vec!["steps".parse().unwrap()]).unwrap();
    let middle = Some(reading(count / 2).id);
    [
        median_of_pages(&store, DataTypes::default(), None).await,
        median_of_pages(&store, steps, None).await,
        median_of_pages(&store, DataTypes::default(), middle).await,
    ]
}

async fn median_of_pages(
    store: &EmbeddedStore,
    data_types: DataTypes,
    after: Option<ReadingId>,
) -> Duration {
    let query = ListQuery {
        user_id: "user123".parse().unwrap(),
        data_types,
        range: TimeRange::default(),
        order: Order::Desc,
        after,
        limit: PageSize::default(),
    };
    let mut times = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let started = Instant::now();
        let page = store.list(&query).await.unwrap();
        times.push(started.elapsed());
        assert_eq!(page.readings.len(), 50);
    }
    times.sort_unstable();
    times[PAGES / 2]
}

/// Exports all from the service, a process of its own, and prints its memory.
async fn export(folder: &Path) {
    let data_directory = folder.to_str().unwrap();
    let service = Service::start(folder, &[("CLARITY_DATA_DIR", data_directory)]);
    let process = service.process.0.id();
    let idle = memory(process, "VmRSS:");
    // From here on the peak counts anew (proc_pid_clear_refs(5)).
    fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    let started = Instant::now();
    let mut answer = service::client()
        .get(format!("{}/api/v1/data/user123/export", service.url))
        .header("X-API-Key", "development-key")
        .send()
        .await
        .unwrap();
    let (mut bytes, mut lines) = (0, 0);
    while let Some(part) = answer.chunk().await.unwrap() {
        bytes += part.len();
        lines += part.iter().filter(|byte| **byte == b'\n').count();
    }
    let time = started.elapsed();
    let peak = memory(process, "VmHWM:");
    println!(
        "export of {} readings, {} MB, took {time:.1?}: {idle} MiB when idle, at most {peak} MiB, {} more (wanted: at most 64)",
        lines - 1,
        bytes / 1_000_000,
        peak.saturating_sub(idle)
    );
}

/// A figure of a process' memory in MiB.
fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() / 1024
}
