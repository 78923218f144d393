//! Random sequences of operations have the same results on a store and on a map.

mod map;
mod operation;

use std::cell::{Cell, RefCell};
use std::time::Duration;

use clarity_backend::domain::Reading;
use clarity_backend::store::{BatchPutStatus, erase_user, put_batch};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestCaseError, TestRunner};

pub use self::map::Map;
use self::operation::{Operation, Users, operation};
use crate::backend::{Backend, DynamoDb, Embedded};
use crate::samples::{FIRST, instant};

#[test]
fn embedded_store_matches_the_model() {
    matches_the_model::<Embedded>(1_000);
}

#[test]
fn dynamodb_store_matches_the_model() {
    matches_the_model::<DynamoDb>(300);
}

/// Runs `sequences` sequences on one store, each with users of its own.
fn matches_the_model<B: Backend>(sequences: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let backend = RefCell::new(Some(runtime.block_on(B::new())));
    let number = Cell::new(0);
    TestRunner::new(ProptestConfig {
        cases: sequences,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2024),
        ..ProptestConfig::default()
    })
    .run(&vec(operation(), 1..40), |operations| {
        number.set(number.get() + 1);
        let users = Users::of_sequence(number.get());
        runtime.block_on(run(&backend, &users, operations))
    })
    .unwrap_or_else(|failure| panic!("{failure}"));
    assert!(number.get() >= sequences);
}

async fn run<B: Backend>(
    shared: &RefCell<Option<B>>,
    users: &Users,
    operations: Vec<Operation>,
) -> Result<(), TestCaseError> {
    let mut backend = shared.take().unwrap();
    let mut map = Map::default();
    let mut now = instant(FIRST);
    let mut outcome = Ok(());
    for operation in operations {
        now += SignedDuration::from_secs(1);
        if let Operation::Reopen = operation {
            backend = backend.reopened().await;
        } else {
            outcome = check(&backend, users, &mut map, operation, now).await;
        }
        if outcome.is_err() {
            break;
        }
    }
    shared.replace(Some(backend));
    outcome
}

async fn check(
    backend: &impl Backend,
    users: &Users,
    map: &mut Map,
    operation: Operation,
    now: jiff::Timestamp,
) -> Result<(), TestCaseError> {
    let store = backend.store();
    match operation {
        Operation::Put(sample) => {
            let reading = Reading::accept(sample.measurement(users), now);
            let outcome = store.put(reading.clone()).await.unwrap();
            prop_assert_eq!(outcome, map.put(reading));
        }
        Operation::PutBatch(samples) => {
            let take_in =
                |sample: &operation::Sample| Reading::accept(sample.measurement(users), now);
            let readings: Vec<Reading> = samples.iter().map(take_in).collect();
            let outcomes = put_batch(store, readings.clone()).await;
            let outcomes: Vec<BatchPutStatus> = outcomes.into_iter().map(Result::unwrap).collect();
            prop_assert_eq!(outcomes, map.put_batch(readings));
        }
        Operation::Get(sample) => {
            let (user_id, id) = sample.key(users);
            let stored = store.get(&user_id, id).await.unwrap();
            prop_assert_eq!(stored.as_ref(), map.get(&user_id, id));
        }
        Operation::Delete(sample) => {
            let (user_id, id) = sample.key(users);
            let deleted = store.delete(&user_id, id).await.unwrap();
            prop_assert_eq!(deleted, map.delete(&user_id, id));
        }
        Operation::Erase(user) => {
            let user_id = users.id(user);
            let erasure = erase_user(store, &user_id, Duration::from_secs(60), |_| {}).await;
            let erasure = erasure.unwrap();
            prop_assert!(erasure.complete);
            prop_assert_eq!(erasure.deleted, map.erase_user(&user_id));
        }
        Operation::List(listing) => {
            let query = listing.query(users);
            let page = store.list(&query).await.unwrap();
            let (readings, next) = map.list(&query);
            prop_assert_eq!(page.readings, readings);
            prop_assert_eq!(page.next, next);
        }
        Operation::Reopen => {}
    }
    Ok(())
}
