//! Reading pages during concurrent writes: readings that existed before are returned
//! exactly once.

use std::cell::Cell;

use clarity_backend::domain::{DataTypes, ListQuery, Measurement, Order, Reading, ReadingId};
use clarity_backend::store::{ReadingStore, put_batch};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

use crate::backend::{Backend, DynamoDb, DynamoDbWithoutIndex, Embedded};
use crate::concurrency::run_concurrently;
use crate::samples::{again, all_of, page_size, reading, series};

const SCHEDULES: u32 = 100;
const TYPES: [&str; 3] = ["a", "a.b", "b"];
const THERE: u32 = 36;

#[test]
fn walk_sees_every_reading_once_on_the_embedded_store() {
    walk_sees_every_reading_once::<Embedded>(SCHEDULES);
}

#[test]
fn walk_sees_every_reading_once_on_dynamodb() {
    walk_sees_every_reading_once::<DynamoDb>(SCHEDULES);
}

#[test]
fn walk_sees_every_reading_once_on_dynamodb_without_the_index() {
    walk_sees_every_reading_once::<DynamoDbWithoutIndex>(SCHEDULES / 4);
}

/// A walk through pages, and the writes during each of them.
#[derive(Debug, Clone)]
struct Schedule {
    descending: bool,
    limit: u16,
    data_types: Vec<usize>,
    writes: Vec<Vec<Write>>,
}

#[derive(Debug, Clone, Copy)]
enum Write {
    /// Puts a new reading, at the time of an existing one.
    New { place: u32, value: u16 },
    /// Puts an existing reading again.
    Again { place: u32 },
    /// Deletes a new reading that the schedule may have written.
    Delete { place: u32, value: u16 },
}

fn schedule() -> impl Strategy<Value = Schedule> {
    let (place, value) = (0..THERE, 1_000..1_003_u16);
    let write = prop_oneof![
        4 => (place.clone(), value.clone()).prop_map(|(place, value)| Write::New { place, value }),
        1 => place.clone().prop_map(|place| Write::Again { place }),
        2 => (place, value).prop_map(|(place, value)| Write::Delete { place, value }),
    ];
    (
        any::<bool>(),
        1..12_u16,
        vec(0..TYPES.len(), 0..3),
        vec(vec(write, 0..4), 1..12),
    )
        .prop_map(|(descending, limit, data_types, writes)| Schedule {
            descending,
            limit,
            data_types,
            writes,
        })
}

fn walk_sees_every_reading_once<B: Backend>(schedules: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let backend = runtime.block_on(B::new());
    let number = Cell::new(0);
    TestRunner::new(ProptestConfig {
        cases: schedules,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(36),
        ..ProptestConfig::default()
    })
    .run(&schedule(), |schedule| {
        number.set(number.get() + 1);
        let user_id = format!("u{}", number.get());
        runtime.block_on(walk(backend.store(), &user_id, &schedule))
    })
    .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(number.get() >= schedules);
}

/// Returns the initial readings, oldest first.
fn there(user_id: &str) -> Vec<Reading> {
    let series = series(user_id, THERE).into_iter().enumerate();
    let of_type = |(index, one): (usize, Reading)| {
        reading(Measurement {
            data_type: TYPES[index % 3].parse().unwrap(),
            ..one.measurement
        })
    };
    series.map(of_type).collect()
}

/// Returns a new reading at the time of an existing one.
fn new(there: &[Reading], place: u32, value: u16) -> Reading {
    reading(Measurement {
        value: f64::from(value).try_into().unwrap(),
        ..there[place as usize].measurement.clone()
    })
}

async fn walk(
    store: &dyn ReadingStore,
    user_id: &str,
    schedule: &Schedule,
) -> Result<(), TestCaseError> {
    let there = there(user_id);
    for outcome in put_batch(store, there.clone()).await {
        outcome.unwrap();
    }
    let data_type = |index: &usize| TYPES[*index].parse().unwrap();
    let data_types: Vec<_> = schedule.data_types.iter().map(data_type).collect();
    let mut query = ListQuery {
        data_types: DataTypes::try_from(data_types).unwrap(),
        order: match schedule.descending {
            true => Order::Desc,
            false => Order::Asc,
        },
        limit: page_size(schedule.limit),
        ..all_of(user_id)
    };
    let mut seen: Vec<ReadingId> = Vec::new();
    let mut writes = schedule.writes.iter().cycle();
    loop {
        let meanwhile = writes.next().into_iter().flatten();
        let meanwhile = run_concurrently(meanwhile.map(|write| apply(store, &there, *write)));
        let (page, _) = tokio::join!(store.list(&query), meanwhile);
        let page = page.unwrap();
        seen.extend(page.readings.iter().map(|reading| reading.id));
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    prop_assert!(
        seen.is_sorted_by(|one, next| match query.order {
            Order::Asc => one < next,
            Order::Desc => one > next,
        }),
        "in order, and nothing twice"
    );
    for reading in there {
        let data_type = &reading.measurement.data_type;
        let times = seen.iter().filter(|id| **id == reading.id).count();
        let is_wanted = query.data_types.contains(data_type);
        prop_assert_eq!(times, usize::from(is_wanted), "{} {:?}", reading.id, query);
    }
    Ok(())
}

async fn apply(store: &dyn ReadingStore, there: &[Reading], write: Write) {
    match write {
        Write::New { place, value } => {
            store.put(new(there, place, value)).await.unwrap();
        }
        Write::Again { place } => {
            store.put(again(&there[place as usize])).await.unwrap();
        }
        Write::Delete { place, value } => {
            let gone = new(there, place, value);
            let user_id = &gone.measurement.user_id;
            store.delete(user_id, gone.id).await.unwrap();
        }
    }
}
