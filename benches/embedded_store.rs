//! Throughput of durable writes to the embedded store with 1 and 64 clients, compared
//! with the bare engine under the same group commit; cost of reading the newest 50
//! readings, compared with a range scan of the engine; and time to open the store after
//! a crash.
//!
//! `cargo bench --bench embedded_store`, on Linux; takes two minutes.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, MeasurementTime, Metadata, Order, PageSize, Reading,
    ReadingValue, TimeRange,
};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use jiff::Timestamp;
use mimalloc::MiMalloc;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use self::process::own_cpu;

#[path = "../examples/load/process.rs"]
#[expect(dead_code, reason = "only this process is measured here")]
mod process;

/// The allocator of the service.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const CLIENTS: [usize; 2] = [1, 64];

fn main() {
    let runtime = Runtime::new().unwrap();
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut rates: [[Vec<f64>; 2]; 3] = Default::default();
    for round in 0..ROUNDS {
        for (index, clients) in CLIENTS.into_iter().enumerate() {
            let folder = |name: &str| directory.path().join(format!("{name}-{round}-{clients}"));
            let store = EmbeddedStore::open(&folder("store")).unwrap();
            rates[0][index].push(runtime.block_on(rate_of_store(store, clients)));
            for (engine, quick_repair) in [(1, false), (2, true)] {
                let folder = folder(if quick_repair { "quick" } else { "engine" });
                let rate = runtime.block_on(rate_of_engine(&folder, clients, quick_repair));
                rates[engine][index].push(rate);
            }
        }
    }
    let [
        [store_1, store_64],
        [engine_1, engine_64],
        [quick_1, quick_64],
    ] = rates.map(|rates| rates.map(median));
    println!("durable writes a second, medians of {ROUNDS} rounds of {ROUND:?}");
    println!("  embedded store, 1 client    {store_1:>8.0}");
    println!(
        "  embedded store, 64 clients  {store_64:>8.0}  {:.1} times 1 client (wanted: 5)",
        store_64 / store_1
    );
    println!("  bare engine, 1 client       {engine_1:>8.0}");
    println!(
        "  bare engine, 64 clients     {engine_64:>8.0}  the store has {:.0} % of it (wanted: 80)",
        100.0 * store_64 / engine_64
    );

    println!("  with quick repair, 1 client {quick_1:>8.0}");
    println!("  with quick repair, 64       {quick_64:>8.0}");
    let written = directory.path().join("written");
    let (after_crash, after_stop) = runtime.block_on(measure_reopening(directory.path(), &written));
    println!(
        "opening a store of {ROWS} readings after a crash {after_crash:?}, after a stop {after_stop:?}"
    );
    let [engine, hop, store @ ..] = runtime.block_on(read_newest(&written));
    println!("CPU to read the newest {NEWEST} of {ROWS}, median of {ROUNDS} rounds of {READS}");
    println!("  bare engine, range scan      {:>6.1} µs", 1e6 * engine);
    println!("  the same by `spawn_blocking` {:>6.1} µs", 1e6 * hop);
    for (readers, store) in READERS.into_iter().zip(store) {
        println!(
            "  embedded store, {readers:>2} at once   {:>6.1} µs  {:.1} times the engine (wanted: at most 3), {:.1} times it by `spawn_blocking`",
            1e6 * store,
            store / engine,
            store / hop
        );
    }
}

/// Readings on a page.
const NEWEST: usize = 50;
/// Pages read in a round.
const READS: u32 = 20_000;
/// Number of concurrent readers.
const READERS: [u32; 2] = [1, 16];

/// Returns the CPU seconds of reading the newest readings: from the bare engine; from
/// the engine on a blocking thread, as in a service; and from the store, with each
/// number of [`READERS`].
async fn read_newest(folder: &Path) -> [f64; 4] {
    let mut seconds: [Vec<f64>; 4] = Default::default();
    for _ in 0..ROUNDS {
        let database = Arc::new(Database::open(folder.join("readings.redb")).unwrap());
        let before = own_cpu();
        for _ in 0..READS {
            assert_eq!(scan_newest(&database).len(), NEWEST);
        }
        seconds[0].push(each_since(before));
        let before = own_cpu();
        let scanning = tokio::spawn(async move {
            for _ in 0..READS {
                let database = Arc::clone(&database);
                let scan = spawn_blocking(move || scan_newest(&database));
                assert_eq!(scan.await.unwrap().len(), NEWEST);
            }
        });
        scanning.await.unwrap();
        seconds[1].push(each_since(before));

        let store = Arc::new(EmbeddedStore::open(folder).unwrap());
        for (readers, seconds) in READERS.into_iter().zip(&mut seconds[2..]) {
            let before = own_cpu();
            let reading = (0..readers).map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(list_newest(store, READS / readers))
            });
            for reader in reading.collect::<Vec<_>>() {
                reader.await.unwrap();
            }
            seconds.push(each_since(before));
        }
    }
    seconds.map(median)
}

/// Returns the CPU seconds per read of a round that started at `before`.
fn each_since(before: Duration) -> f64 {
    (own_cpu() - before).as_secs_f64() / f64::from(READS)
}

async fn list_newest(store: Arc<EmbeddedStore>, times: u32) {
    let query = ListQuery {
        user_id: "user123".parse().unwrap(),
        data_types: DataTypes::default(),
        range: TimeRange::default(),
        order: Order::Desc,
        after: None,
        limit: PageSize::default(),
    };
    for _ in 0..times {
        let page = store.list(&query).await.unwrap();
        assert_eq!(page.readings.len(), NEWEST);
    }
}

/// Scans keys and values with the engine, without decoding them.
fn scan_newest(database: &Database) -> Vec<(Vec<u8>, Vec<u8>)> {
    let table: TableDefinition<&[u8], &[u8]> = TableDefinition::new("readings");
    let transaction = database.begin_read().unwrap();
    let table = transaction.open_table(table).unwrap();
    let entries = table
        .range(b"user123\0".as_slice()..b"user123\x01")
        .unwrap();
    entries
        .rev()
        .take(NEWEST)
        .map(|entry| {
            let (key, value) = entry.unwrap();
            (key.value().to_vec(), value.value().to_vec())
        })
        .collect()
}

/// Readings in the store that is reopened.
const ROWS: u64 = 1_000_000;

/// Fills the store `written`, and measures opening it after a crash and after a clean
/// stop.
async fn measure_reopening(directory: &Path, written: &Path) -> (Duration, Duration) {
    let crashed = directory.join("crashed");
    let store = Arc::new(EmbeddedStore::open(written).unwrap());
    let tasks: Vec<_> = (0..256)
        .map(|first| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for number in (first..ROWS).step_by(256) {
                    store.put(reading(number)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    std::fs::create_dir_all(&crashed).unwrap();
    for file in std::fs::read_dir(written).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), crashed.join(file.file_name())).unwrap();
    }
    drop(store);
    let open = |folder: &Path| {
        let started = Instant::now();
        EmbeddedStore::open(folder).unwrap();
        started.elapsed()
    };
    (open(&crashed), open(written))
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Returns the `number`th reading of a heart rate every 5 seconds.
fn reading(number: u64) -> Reading {
    let time = Timestamp::from_second(1_700_000_000 + 5 * i64::try_from(number).unwrap()).unwrap();
    let measurement = Measurement {
        user_id: "user123".parse().unwrap(),
        data_type: "heart_rate".parse().unwrap(),
        value: ReadingValue::try_from(72.0).unwrap(),
        timestamp: MeasurementTime::parse_any(&time.to_string()).unwrap(),
        unit: Some("/min".parse().unwrap()),
        metadata: Metadata::parse(r#"{"source":"watch","granularity":"5s"}"#).unwrap(),
        client_record: None,
    };
    Reading::accept(measurement, time)
}

/// Calls `write` with 0, 1, 2… from `clients` tasks until the round ends, and returns
/// the calls per second.
async fn rate<F: Future<Output = ()> + Send>(
    clients: usize,
    write: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> f64 {
    let next = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (next, write) = (Arc::clone(&next), write.clone());
            tokio::spawn(async move {
                while started.elapsed() < ROUND {
                    write(next.fetch_add(1, Ordering::Relaxed)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    next.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

async fn rate_of_store(store: EmbeddedStore, clients: usize) -> f64 {
    let store = Arc::new(store);
    rate(clients, move |number| {
        let store = Arc::clone(&store);
        async move {
            store.put(reading(number)).await.unwrap();
        }
    })
    .await
}

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("bare");

type Write = (Vec<u8>, Vec<u8>, oneshot::Sender<()>);

/// Writes keys and values of the same size with the bare engine: each is looked up and
/// inserted, and committed in groups.
async fn rate_of_engine(folder: &Path, clients: usize, quick_repair: bool) -> f64 {
    std::fs::create_dir_all(folder).unwrap();
    let database = Database::create(folder.join("bare.redb")).unwrap();
    let (queue, mut writes) = mpsc::channel::<Write>(1_024);
    let writer = thread::spawn(move || {
        let mut group = Vec::new();
        while writes.blocking_recv_many(&mut group, 1_024) > 0 {
            let mut transaction = database.begin_write().unwrap();
            transaction.set_quick_repair(quick_repair);
            {
                let mut table = transaction.open_table(TABLE).unwrap();
                for (key, value, _) in &group {
                    if table.get(key.as_slice()).unwrap().is_none() {
                        table.insert(key.as_slice(), value.as_slice()).unwrap();
                    }
                }
            }
            transaction.commit().unwrap();
            for (_, _, caller) in group.drain(..) {
                caller.send(()).unwrap();
            }
        }
    });
    let result = rate(clients, move |number| {
        let queue = queue.clone();
        async move {
            let mut key = b"user123\0................".to_vec();
            key[8..16].copy_from_slice(&number.to_be_bytes());
            let (caller, answered) = oneshot::channel();
            queue.send((key, vec![b'x'; 90], caller)).await.unwrap();
            answered.await.unwrap();
        }
    })
    .await;
    writer.join().unwrap();
    result
}
