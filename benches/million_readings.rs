//! Costs with a million readings of one user, compared with a thousand: the newest, the
//! newest of one type, and a page in the middle of the embedded store; the cost of a
//! summary per requested day; and the memory of the service when idle and while
//! exporting everything.
//!
//! `cargo bench --bench million_readings`, on Linux; takes two minutes.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails by panicking"
)]

#[path = "../examples/load/process.rs"]
#[expect(dead_code, reason = "only part of it is used here")]
mod process;
#[path = "../tests/process/service.rs"]
#[expect(dead_code, reason = "the tests of the binary need more of it")]
mod service;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, MeasurementTime, Metadata, Order, PageSize, Reading,
    ReadingValue, TimeRange,
};
use clarity_backend::store::{EmbeddedStore, ReadingStore, put_batch};
use clarity_backend::summaries::{CalendarPeriod, Summarizer};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mimalloc::MiMalloc;
use tokio::runtime::Builder;

use self::process::own_cpu;
use self::service::Service;

/// The allocator of the service.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const FEW: u32 = 1_000;
const MANY: u32 = 1_000_000;
const ROUNDS: usize = 5;
/// Pages of each kind read in a round.
const PAGES: usize = 400;

/// Seconds between two readings.
const SECONDS: u32 = 40;
/// Readings in 30 days.
const MONTH: u32 = 30 * 24 * 3600 / SECONDS;

fn main() {
    // As in production, where requests have one core.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folders = ["few", "many", "month"].map(|name| directory.path().join(name));
    let many = folders[1].clone();
    let compared = runtime.spawn(compare(folders));
    runtime.block_on(compared).unwrap();
    runtime.block_on(export(&many));
}

async fn compare([few, many, month]: [PathBuf; 3]) {
    let few = fill(&few, FEW).await;
    let many = fill(&many, MANY).await;
    compare_pages(&few, &many).await;
    let month = fill(&month, MONTH).await;
    compare_summaries(&month, &many).await;
}

/// Returns the `number`th reading; every fourth counts steps.
fn reading(number: u32) -> Reading {
    let second = 1_700_000_000 + i64::from(SECONDS) * i64::from(number);
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
    Reading::accept(measurement, time)
}

/// Creates a store with `count` readings.
async fn fill(folder: &Path, count: u32) -> EmbeddedStore {
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
    store
}

/// Query for all readings, by pages.
fn all(order: Order, limit: PageSize) -> ListQuery {
    ListQuery {
        user_id: "user123".parse().unwrap(),
        data_types: DataTypes::default(),
        range: TimeRange::default(),
        order,
        after: None,
        limit,
    }
}

async fn compare_pages(few: &EmbeddedStore, many: &EmbeddedStore) {
    println!(
        "a page of 50 of the embedded store, median of {}",
        ROUNDS * PAGES
    );
    let newest = all(Order::Desc, PageSize::default());
    let steps = DataTypes::try_from(vec!["steps".parse().unwrap()]).unwrap();
    let of_one_type = ListQuery {
        data_types: steps,
        ..newest.clone()
    };
    let middle = |count: u32| ListQuery {
        after: Some(reading(count / 2).id),
        ..newest.clone()
    };
    for (what, [of_few, of_many], wanted) in [
        ("newest", [&newest, &newest], 1.2),
        ("one type's newest", [&of_one_type, &of_one_type], 2.0),
        ("in the middle", [&middle(FEW), &middle(MANY)], 2.0),
    ] {
        let mut times: [Vec<Duration>; 2] = Default::default();
        for _ in 0..ROUNDS {
            read_pages(few, of_few, &mut times[0]).await;
            read_pages(many, of_many, &mut times[1]).await;
        }
        let [few, many] = times.map(median);
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!(
            "  {what:<18} of {FEW} {few:>9.1?}, of {MANY} {many:>9.1?}: {ratio:.2} times (wanted: at most {wanted})"
        );
    }
}

async fn read_pages(store: &EmbeddedStore, query: &ListQuery, times: &mut Vec<Duration>) {
    for _ in 0..PAGES {
        let started = Instant::now();
        let page = store.list(query).await.unwrap();
        times.push(started.elapsed());
        assert_eq!(page.readings.len(), 50);
    }
}

fn median<T: Ord + Copy>(mut values: Vec<T>) -> T {
    values.sort_unstable();
    values[values.len() / 2]
}

async fn compare_summaries(month: &EmbeddedStore, many: &EmbeddedStore) {
    println!(
        "CPU of a summary by days for each day asked for, {} readings a day, median of {ROUNDS}",
        MONTH / 30
    );
    let mut of_30 = Duration::ZERO;
    for (store, stored, days) in [
        (many, MANY, 30),
        (month, MONTH, 30),
        (many, MANY, 7),
        (many, MANY, 90),
        (many, MANY, 365),
    ] {
        let mut costs = Vec::new();
        for _ in 0..ROUNDS {
            // The clock is coarse, so all measurements take about the same time.
            let times = 365 / days;
            let before = own_cpu();
            for _ in 0..times {
                summarize(store, days).await;
            }
            costs.push((own_cpu() - before) / (times * days));
        }
        let cost = median(costs);
        if of_30.is_zero() {
            of_30 = cost;
        }
        println!(
            "  {days:>3} days of {stored:>7} {cost:>9.1?}: {:.2} times that of 30 (wanted: about 1)",
            cost.as_secs_f64() / of_30.as_secs_f64()
        );
    }
}

/// Summarizes the first days by UTC day, as the service does.
async fn summarize(store: &EmbeddedStore, days: u32) {
    let start = reading(0).measurement.timestamp.instant();
    let end = start + SignedDuration::from_hours(24 * i64::from(days));
    let range = TimeRange {
        start: Some(start),
        end: Some(end),
    };
    let mut query = ListQuery {
        range,
        ..all(Order::Asc, PageSize::MAX)
    };
    let mut summarizer = Summarizer::new(range, CalendarPeriod::Day, TimeZone::UTC, end);
    loop {
        let page = store.list(&query).await.unwrap();
        for reading in &page.readings {
            summarizer.push(reading).unwrap();
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    let series = summarizer.finish();
    let counts = series.iter().flat_map(|series| &series.periods);
    let count: u64 = counts.map(|period| period.count).sum();
    assert_eq!(count, u64::from(MONTH / 30 * days));
}

/// Exports everything from the service, a separate process, and prints its memory.
async fn export(folder: &Path) {
    let data_directory = folder.to_str().unwrap();
    let service = Service::start(folder, &[("CLARITY_DATA_DIR", data_directory)]);
    let process = service.process.0.id();
    // The memory used for starting has been released by then.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = memory(process, "VmRSS:");
    println!("the service is idle with {idle} MiB (wanted: at most 20)");
    // Resets the peak (proc_pid_clear_refs(5)).
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
        "export of {} readings, {} MB, took {time:.1?}: at most {peak} MiB, {} more (wanted: at most 64)",
        lines - 1,
        bytes / 1_000_000,
        peak.saturating_sub(idle)
    );
}

/// Returns a value of a process's memory status in MiB.
fn memory(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    let kibibytes = line.split_whitespace().nth(1).unwrap();
    kibibytes.parse::<u64>().unwrap() / 1024
}
