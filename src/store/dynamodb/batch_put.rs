//! Putting many readings: those without a version by `BatchWriteItem`, clients'
//! records one by one on a condition.
//!
//! `BatchWriteItem` knows no conditions: it would put a reading that is held
//! already a second time, with another `created_at`, and a replay must change
//! nothing. So `BatchGetItem` tells first what is held. That costs a tenth of
//! the price of a write for a new reading, and saves nine tenths of it for a
//! replayed one. Where the same reading comes from two requests at the same
//! moment, either's `created_at` may be the one that stays.

use std::collections::HashMap;
use std::sync::OnceLock;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::batch_write::{self, few_waits, wait_after, waits};
use super::item;
use super::schema::{DATA_ID, TYPE_KEY, USER_ID};
use super::{DynamoDbStore, key};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::{BatchPutStatus, StoreError};

/// The most keys in one `BatchGetItem`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>
const MOST_KEYS: usize = 100;

/// How many chunks of readings without a version are under way at once, each
/// with one call.
const CHUNKS_AT_ONCE: usize = 8;

/// How many clients' records are put at once.
const RECORDS_AT_ONCE: usize = 16;

/// A batch under way.
pub(super) struct PutAll<'a> {
    store: &'a DynamoDbStore,
    deadline: Instant,
    /// The failure after which nothing more is tried.
    failure: OnceLock<StoreError>,
}

/// A reading with its place in the batch.
type Placed = (usize, Reading);

/// A reading's user and id, under which it is held.
pub(super) type Name = (UserId, ReadingId);

pub(super) fn name(reading: &Reading) -> Name {
    (reading.measurement.user_id.clone(), reading.id)
}

/// How a reading is held.
enum Held {
    /// With all that an item has.
    Whole,
    /// Without the key of the index by type, as it was written before there was
    /// one: putting it by itself adds that.
    Unindexed,
}

type Outcome = (usize, Result<BatchPutStatus, StoreError>);

pub(super) async fn put_many(
    store: &DynamoDbStore,
    readings: Vec<Reading>,
) -> Vec<Result<BatchPutStatus, StoreError>> {
    let count = readings.len();
    let batch = PutAll::until(store, Instant::now() + store.batch_timeout);
    let (records, others): (Vec<Placed>, Vec<Placed>) = readings
        .into_iter()
        .enumerate()
        .partition(|(_, reading)| reading.version().is_some());
    let records = stream::iter(records)
        .map(|record| batch.put_one(record))
        .buffer_unordered(RECORDS_AT_ONCE)
        .collect::<Vec<Outcome>>();
    let others = stream::iter(in_chunks(others))
        .map(|chunk| batch.put_chunk(chunk))
        .buffer_unordered(CHUNKS_AT_ONCE)
        .collect::<Vec<Vec<Outcome>>>();
    let (records, others) = tokio::join!(records, others);

    // What nothing became of must not count as stored.
    let mut outcomes = vec![Err(StoreError::unavailable("it was not tried")); count];
    for (place, outcome) in others.into_iter().flatten().chain(records) {
        outcomes[place] = outcome;
    }
    outcomes
}

fn in_chunks(readings: Vec<Placed>) -> Vec<Vec<Placed>> {
    let mut readings = readings.into_iter();
    std::iter::from_fn(|| {
        let chunk: Vec<Placed> = readings.by_ref().take(MOST_KEYS).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
    .collect()
}

impl<'a> PutAll<'a> {
    /// One that may take until `deadline`.
    pub(super) fn until(store: &'a DynamoDbStore, deadline: Instant) -> Self {
        Self {
            store,
            deadline,
            failure: OnceLock::new(),
        }
    }

    /// Puts those of up to [`batch_write::MOST`] readings without a version that are
    /// not held and, by their place, still wanted, and tells of each whether it was
    /// put.
    pub(super) async fn put_absent(
        &self,
        readings: &[&Reading],
        is_wanted: impl Fn(usize) -> bool,
    ) -> Vec<Result<bool, StoreError>> {
        let held = match self.held(readings.iter().copied()).await {
            Ok(held) => held,
            Err(error) => return vec![Err(error); readings.len()],
        };
        let places: Vec<usize> = (0..readings.len())
            .filter(|&place| is_wanted(place) && !held.contains_key(&name(readings[place])))
            .collect();
        let absent: Vec<&Reading> = places.iter().map(|&place| readings[place]).collect();
        let written = self.put_new(&absent).await;
        let mut outcomes = vec![Ok(false); readings.len()];
        for (place, put) in places.into_iter().zip(written) {
            outcomes[place] = put.map(|()| true);
        }
        outcomes
    }

    /// Why nothing more is tried, if so.
    fn stopped(&self) -> Option<StoreError> {
        if Instant::now() >= self.deadline {
            self.failed(&StoreError::unavailable("the batch took too long"));
        }
        self.failure.get().cloned()
    }

    /// Notes a failure that the rest of the batch would meet as well.
    fn failed(&self, error: &StoreError) {
        if !matches!(error, StoreError::Corrupt(_)) {
            let _ = self.failure.set(error.clone());
        }
    }

    /// Puts one on a condition.
    async fn put_one(&self, (place, reading): Placed) -> Outcome {
        if let Some(error) = self.stopped() {
            return (place, Err(error));
        }
        let mut waits = few_waits();
        let outcome = loop {
            match self.store.put_one(&reading).await {
                Ok(put) => break Ok(put.kept(&reading)),
                Err(error) => {
                    if let Err(error) = wait_after(error, &mut waits, self.deadline).await {
                        break Err(error);
                    }
                }
            }
        };
        if let Err(error) = &outcome {
            self.failed(error);
        }
        (place, outcome)
    }

    /// Puts up to [`MOST_KEYS`] readings without a version.
    async fn put_chunk(&self, chunk: Vec<Placed>) -> Vec<Outcome> {
        let held = match self.stopped() {
            Some(error) => Err(error),
            None => self.held(chunk.iter().map(|(_, reading)| reading)).await,
        };
        let held = match held {
            Ok(held) => held,
            Err(error) => {
                self.failed(&error);
                let outcome = |(place, _)| (place, Err(error.clone()));
                return chunk.into_iter().map(outcome).collect();
            }
        };
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(chunk.len());
        let (mut unindexed, mut new) = (Vec::new(), Vec::new());
        for (place, one) in chunk {
            match held.get(&name(&one)) {
                Some(Held::Whole) => outcomes.push((place, Ok(BatchPutStatus::Unchanged))),
                Some(Held::Unindexed) => unindexed.push((place, one)),
                None => new.push((place, one)),
            }
        }
        let unindexed = stream::iter(unindexed)
            .map(|one| self.put_one(one))
            .buffer_unordered(RECORDS_AT_ONCE)
            .collect::<Vec<Outcome>>();
        outcomes.extend(unindexed.await);
        for some in new.chunks(batch_write::MOST) {
            let readings: Vec<&Reading> = some.iter().map(|(_, reading)| reading).collect();
            let written = self.put_new(&readings).await.into_iter();
            let kept = written.map(|put| put.map(|()| BatchPutStatus::Stored));
            outcomes.extend(some.iter().map(|(place, _)| *place).zip(kept));
        }
        outcomes
    }

    /// Puts up to [`batch_write::MOST`] readings that are not held.
    async fn put_new(&self, readings: &[&Reading]) -> Vec<Result<(), StoreError>> {
        // DynamoDB refuses a call without requests.
        if readings.is_empty() {
            return Vec::new();
        }
        let DynamoDbStore {
            client,
            table,
            faults,
            ..
        } = self.store;
        let written = match self.stopped() {
            Some(error) => Err(Err(error)),
            None => {
                let requests: Result<Vec<_>, _> = readings
                    .iter()
                    .map(|reading| batch_write::put(item::encode(reading)))
                    .collect();
                match requests {
                    Err(error) => Err(Err(error)),
                    Ok(requests) => {
                        batch_write::send(client, table, faults, requests, self.deadline)
                            .await
                            .map_err(Ok)
                    }
                }
            }
        };
        let outcome_of = |reading: &Reading| match &written {
            Ok(()) => Ok(()),
            Err(Ok(incomplete)) if !incomplete.holds(reading) => Ok(()),
            Err(Ok(incomplete)) => Err(incomplete.error.clone()),
            Err(Err(error)) => Err(error.clone()),
        };
        readings
            .iter()
            .map(|reading| outcome_of(reading).inspect_err(|error| self.failed(error)))
            .collect()
    }

    /// How those readings are held, by their users and ids, that are.
    async fn held(
        &self,
        readings: impl Iterator<Item = &Reading>,
    ) -> Result<HashMap<Name, Held>, StoreError> {
        let keys = readings.map(|reading| {
            let measurement = &reading.measurement;
            key(&measurement.user_id, reading.id)
        });
        let asked = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .projection_expression(format!("{USER_ID}, {DATA_ID}, {TYPE_KEY}"))
            .build();
        let asked = asked.map_err(StoreError::unavailable)?;
        let table = &self.store.table;
        let mut asked = HashMap::from([(table.clone(), asked)]);
        let mut held = HashMap::new();
        let (mut waits, mut few_waits) = (waits(), few_waits());
        loop {
            let answer = self
                .store
                .client
                .batch_get_item()
                .set_request_items(Some(asked.clone()))
                .send()
                .await;
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    let error = self.store.faults.classify("BatchGetItem", error);
                    wait_after(error, &mut few_waits, self.deadline).await?;
                    continue;
                }
            };
            let items = answer.responses.unwrap_or_default().into_values().flatten();
            for mut item in items {
                if let (Some(AttributeValue::S(user_id)), Some(AttributeValue::S(id))) =
                    (item.remove(USER_ID), item.remove(DATA_ID))
                {
                    let how = match item.contains_key(TYPE_KEY) {
                        true => Held::Whole,
                        false => Held::Unindexed,
                    };
                    // It was asked for, so both are what they were made of.
                    if let (Ok(user_id), Ok(id)) = (user_id.parse(), id.parse()) {
                        held.insert((user_id, id), how);
                    }
                }
            }
            // Where nothing is left, DynamoDB gives an empty map.
            asked = answer.unprocessed_keys.ok_or_else(|| {
                StoreError::unavailable("BatchGetItem did not tell what it left unprocessed")
            })?;
            if asked.is_empty() {
                return Ok(held);
            }
            let error = StoreError::throttled("BatchGetItem left some unprocessed until the end");
            wait_after(error, &mut waits, self.deadline).await?;
        }
    }
}
