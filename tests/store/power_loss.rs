//! What the embedded store holds after a loss of power at any moment.

use std::thread;

use clarity_backend::domain::Reading;
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use tokio::runtime;

use crate::samples::{all_of, measurement, reading, series};
use crate::simulated_disk::{Disk, Event, Remains, losses};

const WRITES: u32 = 1_000;

/// What was not synced is lost, or is there in part, in any order: at each
/// sync of a run of 1,000 writes, once without it and twice with a part.
#[test]
fn at_any_sync_nothing_acknowledged_is_lost_and_nothing_is_corrupt() {
    const TORN: usize = 2;
    let disk = Disk::default();
    let (start, history) = record(&disk);
    let syncs = history
        .iter()
        .filter(|event| matches!(event, Event::Synced))
        .count();
    assert!(syncs >= WRITES as usize, "each write is synced");

    let workers = thread::available_parallelism().unwrap().get();
    let written = series("someone", WRITES);
    let written = &written;
    let examined: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|first| {
                let random = fastrand::Rng::with_seed(7);
                let losses = losses(start.clone(), history.clone(), TORN, random);
                let mine = losses.skip(first).step_by(workers);
                scope.spawn(move || mine.map(|remains| examine(remains, written)).count())
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    assert_eq!(examined, syncs * (1 + TORN));
}

/// Writes one after another; gives what the disk held before, and all that was
/// done to it.
fn record(disk: &Disk) -> (Vec<u8>, Vec<Event>) {
    run(async {
        let store = open(disk);
        let start = disk.content();
        disk.note(None);
        for reading in series("someone", WRITES) {
            store.put(reading).await.unwrap();
            disk.note(Some(Event::Acknowledged));
        }
        let history = disk.history();
        drop(store);
        (start, history)
    })
}

/// Opens what is left, and looks what it holds and whether it takes more.
fn examine(remains: Remains, written: &[Reading]) {
    let Remains {
        content,
        acknowledged,
    } = remains;
    run(async {
        let store = open(&Disk::holding(content));
        let held = store.list(&all_of("someone")).await.unwrap().readings;
        assert!(held.len() >= acknowledged, "lost what was acknowledged");
        assert!(held.len() <= acknowledged + 1, "holds what was not written");
        assert!(held == written[..held.len()]);
        let more = reading(measurement("someone", "2025-01-01T00:00:00Z"));
        store.put(more.clone()).await.unwrap();
        let user_id = &more.measurement.user_id;
        assert_eq!(store.get(user_id, more.id).await.unwrap(), Some(more));
    });
}

fn open(disk: &Disk) -> EmbeddedStore {
    let disk = disk.clone();
    EmbeddedStore::open_on(move || disk.clone()).unwrap()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(future)
}
