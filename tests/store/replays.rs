//! Thousands of batches with versions, each delivered several times, concurrently and
//! in any order. In the end the store matches a map.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use clarity_backend::domain::{ListQuery, Measurement, Reading, ReadingId};
use clarity_backend::store::{BatchPutStatus, ReadingStore, put_batch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};

use crate::backend::{Backend, DynamoDb, Embedded};
use crate::concurrency::run_concurrently;
use crate::samples::{all_of, client_record, reading, series};

const USER: &str = "someone";
/// Number of instants, each with a client record and another reading.
const MOMENTS: u32 = 400;
const VERSIONS: u64 = 12;
/// Number of concurrent deliveries.
const AT_ONCE: usize = 16;
/// Number of deliveries of each batch.
const TIMES: usize = 4;

#[tokio::test]
async fn ten_thousand_replays_match_a_map_on_the_embedded_store() {
    replays_match_a_map(&Embedded::new().await, 10_000).await;
}

#[tokio::test]
async fn replays_match_a_map_on_dynamodb() {
    replays_match_a_map(&DynamoDb::new().await, 400).await;
}

type Batch = Vec<Reading>;

/// Returns `count` deliveries of batches in random order.
fn deliveries(count: usize) -> Vec<Batch> {
    let moments = series(USER, MOMENTS);
    let version = prop::option::weighted(0.7, 0..VERSIONS);
    let one = (0..MOMENTS, version).prop_map(move |(moment, version)| {
        let plain = &moments[moment as usize].measurement;
        reading(Measurement {
            // The content of a version never changes.
            value: (version.unwrap_or(99) as f64).try_into().unwrap(),
            client_record: version.and_then(|version| client_record("r", version)),
            ..plain.clone()
        })
    });
    let deliveries = vec(vec(one, 1..9), count / TIMES)
        .prop_map(|batches: Vec<Batch>| vec![batches; TIMES].concat())
        .prop_shuffle();
    let mut runner = TestRunner::new(ProptestConfig {
        rng_seed: RngSeed::Fixed(10_000),
        ..ProptestConfig::default()
    });
    deliveries.new_tree(&mut runner).unwrap().current()
}

/// Returns each reading in its highest version.
fn highest(deliveries: &[Batch]) -> BTreeMap<ReadingId, &Reading> {
    let mut highest: BTreeMap<_, &Reading> = BTreeMap::new();
    for reading in deliveries.iter().flatten() {
        let best = highest.entry(reading.id).or_insert(reading);
        if reading.version() > best.version() {
            *best = reading;
        }
    }
    highest
}

async fn replays_match_a_map(backend: &impl Backend, count: usize) {
    let store = backend.store();
    let deliveries = deliveries(count);
    assert_eq!(deliveries.len(), count);
    let expected = highest(&deliveries);
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let all = async {
        let clients = (0..AT_ONCE).map(async |_| {
            while let Some(batch) = deliveries.get(next.fetch_add(1, Ordering::Relaxed)) {
                deliver(store, batch, &expected).await;
            }
        });
        run_concurrently(clients).await;
        is_over.store(true, Ordering::Relaxed);
    };
    let watched = expected.values().filter(|one| one.version().is_some());
    let watched: Vec<&Reading> = watched.copied().take(8).collect();
    tokio::join!(all, never_go_back(store, &watched, &is_over));

    let stored = everything(store).await;
    assert_eq!(stored.len(), expected.len(), "none lost, none twice");
    for (reading, expected) in stored.iter().zip(expected.values()) {
        assert_eq!(&reading, expected);
    }
}

async fn deliver(
    store: &dyn ReadingStore,
    batch: &[Reading],
    expected: &BTreeMap<ReadingId, &Reading>,
) {
    let outcomes = put_batch(store, batch.to_vec()).await;
    for (outcome, reading) in outcomes.into_iter().zip(batch) {
        let highest = expected[&reading.id].version();
        match outcome.unwrap() {
            BatchPutStatus::Stored | BatchPutStatus::Unchanged => {}
            BatchPutStatus::Superseded => assert!(reading.version() < highest),
        }
    }
}

/// The stored version of a record never decreases.
async fn never_go_back(store: &dyn ReadingStore, records: &[&Reading], is_over: &AtomicBool) {
    let mut seen = vec![None; records.len()];
    while !is_over.load(Ordering::Relaxed) {
        for (record, seen) in records.iter().zip(&mut seen) {
            let user_id = &record.measurement.user_id;
            let stored = store.get(user_id, record.id).await.unwrap();
            let version = stored.as_ref().and_then(Reading::version);
            assert!(version >= *seen, "a stale overwrite");
            *seen = version;
        }
    }
}

/// Returns all readings in order.
async fn everything(store: &dyn ReadingStore) -> Vec<Reading> {
    let mut query: ListQuery = all_of(USER);
    let mut everything = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        everything.extend(page.readings);
        query.after = page.next;
        if page.next.is_none() {
            return everything;
        }
    }
}
