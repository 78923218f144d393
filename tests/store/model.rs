//! Random sequences of operations give on a store what they give on a plain
//! map.

use std::collections::BTreeMap;

use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, Order, Reading, ReadingId, TimeRange,
};
use clarity_backend::store::PutOutcome;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

use crate::backend::{Backend, DynamoDb, Embedded};
use crate::samples::{FIRST, client_record, instant, measurement, page_size, user};

const USERS: [&str; 2] = ["a", "a.b"];
const MOMENTS: [&str; 6] = [
    "2024-01-15T10:29:59.999999999Z",
    "2024-01-15T10:30:00Z",
    "2024-01-15T10:30:00.000000001Z",
    "2024-01-15T10:30:00.000999999Z",
    "2024-01-15T10:30:00.001Z",
    "2024-01-16T10:30:00Z",
];

#[test]
fn the_embedded_store_agrees_with_a_map() {
    agrees_with_a_map::<Embedded>(64);
}

#[test]
fn the_dynamodb_store_agrees_with_a_map() {
    agrees_with_a_map::<DynamoDb>(16);
}

fn agrees_with_a_map<B: Backend>(sequences: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    TestRunner::new(ProptestConfig {
        cases: sequences,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2024),
        ..ProptestConfig::default()
    })
    .run(&vec(operation(), 1..50), |operations| {
        runtime.block_on(run::<B>(operations))
    })
    .unwrap_or_else(|failure| panic!("{failure}"));
}

#[derive(Debug, Clone)]
enum Operation {
    Put(Sample),
    Get(Sample),
    Delete(Sample),
    List(Listing),
    Reopen,
}

/// One of so few measurements that a sequence meets most of them again.
#[derive(Debug, Clone, Copy)]
struct Sample {
    user: usize,
    moment: usize,
    value: u8,
    version: Option<u64>,
}

#[derive(Debug, Clone)]
struct Listing {
    user: usize,
    start: Option<usize>,
    end: Option<usize>,
    descending: bool,
    after: Option<Sample>,
    limit: u16,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        12 => sample().prop_map(Operation::Put),
        2 => sample().prop_map(Operation::Get),
        2 => sample().prop_map(Operation::Delete),
        6 => listing().prop_map(Operation::List),
        1 => Just(Operation::Reopen),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    (
        0..USERS.len(),
        0..MOMENTS.len(),
        0..2_u8,
        prop::option::of(0..3_u64),
    )
        .prop_map(|(user, moment, value, version)| Sample {
            user,
            moment,
            value,
            version,
        })
}

fn listing() -> impl Strategy<Value = Listing> {
    (
        0..USERS.len(),
        prop::option::of(0..MOMENTS.len()),
        prop::option::of(0..MOMENTS.len()),
        any::<bool>(),
        prop::option::of(sample()),
        1..8_u16,
    )
        .prop_map(|(user, start, end, descending, after, limit)| Listing {
            user,
            start,
            end,
            descending,
            after,
            limit,
        })
}

impl Sample {
    fn measurement(self) -> Measurement {
        Measurement {
            value: f64::from(self.value).try_into().unwrap(),
            client_record: self
                .version
                .and_then(|version| client_record("sample-1", version)),
            ..measurement(USERS[self.user], MOMENTS[self.moment])
        }
    }

    fn id(self) -> ReadingId {
        ReadingId::of(&self.measurement())
    }
}

impl Listing {
    fn query(&self) -> ListQuery {
        let bound = |moment: Option<usize>| moment.map(|index| instant(MOMENTS[index]));
        ListQuery {
            user_id: user(USERS[self.user]),
            data_types: DataTypes::default(),
            range: TimeRange {
                start: bound(self.start),
                end: bound(self.end),
            },
            order: if self.descending {
                Order::Desc
            } else {
                Order::Asc
            },
            after: self.after.map(Sample::id),
            limit: page_size(self.limit),
        }
    }
}

async fn run<B: Backend>(operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let mut backend = B::new().await;
    let mut map = Map::default();
    let mut now = instant(FIRST);
    for operation in operations {
        now += SignedDuration::from_secs(1);
        let store = backend.store();
        match operation {
            Operation::Put(sample) => {
                let reading = Reading::take_in(sample.measurement(), now);
                let outcome = store.put(reading.clone()).await.unwrap();
                prop_assert_eq!(outcome, map.put(reading));
            }
            Operation::Get(sample) => {
                let user_id = user(USERS[sample.user]);
                let held = store.get(&user_id, sample.id()).await.unwrap();
                prop_assert_eq!(held.as_ref(), map.0.get(&key(sample)));
            }
            Operation::Delete(sample) => {
                let user_id = user(USERS[sample.user]);
                let deleted = store.delete(&user_id, sample.id()).await.unwrap();
                prop_assert_eq!(deleted, map.0.remove(&key(sample)).is_some());
            }
            Operation::List(listing) => {
                let page = store.list(&listing.query()).await.unwrap();
                let (readings, has_more) = map.list(&listing);
                prop_assert_eq!(page.readings, readings);
                prop_assert_eq!(page.next.is_some(), has_more);
            }
            Operation::Reopen => backend = backend.reopened().await,
        }
    }
    Ok(())
}

/// What a store should do, in as few words as possible.
#[derive(Default)]
struct Map(BTreeMap<(usize, ReadingId), Reading>);

fn key(sample: Sample) -> (usize, ReadingId) {
    (sample.user, sample.id())
}

impl Map {
    fn put(&mut self, reading: Reading) -> PutOutcome {
        let user_id = reading.measurement.user_id.as_str();
        let user = USERS.iter().position(|user| *user == user_id).unwrap();
        let key = (user, reading.id);
        if let Some(held) = self.0.get(&key) {
            if reading.version() < held.version() {
                return PutOutcome::Superseded(held.clone());
            }
            if reading.measurement == held.measurement {
                return PutOutcome::Stored(held.clone());
            }
        }
        self.0.insert(key, reading.clone());
        PutOutcome::Stored(reading)
    }

    fn list(&self, listing: &Listing) -> (Vec<Reading>, bool) {
        let moment = |index: usize| -> Timestamp { instant(MOMENTS[index]) };
        let after = listing.after.map(Sample::id);
        let mut readings: Vec<_> = self
            .0
            .iter()
            .filter(|((user, id), reading)| {
                let instant = reading.measurement.timestamp.instant();
                *user == listing.user
                    && listing.start.is_none_or(|start| moment(start) <= instant)
                    && listing.end.is_none_or(|end| instant < moment(end))
                    && after.is_none_or(|after| {
                        if listing.descending {
                            *id < after
                        } else {
                            *id > after
                        }
                    })
            })
            .map(|(_, reading)| reading.clone())
            .collect();
        if listing.descending {
            readings.reverse();
        }
        let has_more = readings.len() > usize::from(listing.limit);
        readings.truncate(listing.limit.into());
        (readings, has_more)
    }
}
