//! Puts of many readings: with `BatchWriteItem`, or one by one for client records.
//!
//! `BatchWriteItem` supports no conditions. It would overwrite an existing reading with
//! another `created_at`, whereas a replay must change nothing. `BatchGetItem` therefore
//! finds the existing readings first. For a new reading this adds a tenth of the price
//! of the write; for a replayed one it saves nine tenths of it. If two requests write
//! the same reading concurrently, either `created_at` may remain.

use std::collections::HashMap;
use std::sync::OnceLock;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::batch_write::{self, backoff, backoff_or_fail, short_backoff};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::dynamodb::item;
use crate::store::dynamodb::schema::{DATA_ID, TYPE_KEY, USER_ID};
use crate::store::dynamodb::table_client::{TableClient, key};
use crate::store::{BatchPutStatus, StoreError};

/// Limit of `BatchGetItem`:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>.
const MAX_KEYS: usize = 100;

/// Maximum number of concurrently processed chunks. Each sends one call at a time.
const MAX_CONCURRENT_CHUNKS: usize = 8;

/// Maximum number of client records put concurrently.
const MAX_CONCURRENT_RECORDS: usize = 16;

/// A batch in progress.
pub(super) struct BatchPut<'a> {
    table: &'a TableClient,
    deadline: Instant,
    /// Failure after which nothing more is sent.
    failure: OnceLock<StoreError>,
}

/// A reading and its index in the batch.
type Indexed = (usize, Reading);

/// Identity of a stored reading.
pub(super) type ReadingKey = (UserId, ReadingId);

pub(super) fn key_of(reading: &Reading) -> ReadingKey {
    (reading.measurement.user_id.clone(), reading.id)
}

/// Form in which a reading is stored.
enum StoredForm {
    /// With all attributes.
    Complete,
    /// Without the key of the index by type, as written before the index existed. A
    /// single put adds it.
    MissingIndexKey,
}

type IndexedStatus = (usize, Result<BatchPutStatus, StoreError>);

pub(in crate::store::dynamodb) async fn put_many(
    table: &TableClient,
    readings: Vec<Reading>,
) -> Vec<Result<BatchPutStatus, StoreError>> {
    let count = readings.len();
    let batch = BatchPut::with_deadline(table, Instant::now() + table.batch_timeout);
    let (records, others): (Vec<Indexed>, Vec<Indexed>) = readings
        .into_iter()
        .enumerate()
        .partition(|(_, reading)| reading.version().is_some());
    let records = stream::iter(records)
        .map(|record| batch.put_one(record))
        .buffer_unordered(MAX_CONCURRENT_RECORDS)
        .collect::<Vec<IndexedStatus>>();
    let others = stream::iter(in_chunks(others))
        .map(|chunk| batch.put_chunk(chunk))
        .buffer_unordered(MAX_CONCURRENT_CHUNKS)
        .collect::<Vec<Vec<IndexedStatus>>>();
    let (records, others) = tokio::join!(records, others);

    // A reading without a confirmed result must not be reported as stored.
    let mut outcomes = vec![Err(StoreError::unavailable("the put was not attempted")); count];
    for (index, outcome) in others.into_iter().flatten().chain(records) {
        outcomes[index] = outcome;
    }
    outcomes
}

fn in_chunks(readings: Vec<Indexed>) -> Vec<Vec<Indexed>> {
    let mut readings = readings.into_iter();
    std::iter::from_fn(|| {
        let chunk: Vec<Indexed> = readings.by_ref().take(MAX_KEYS).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
    .collect()
}

impl<'a> BatchPut<'a> {
    /// Starts a batch that stops at `deadline`.
    pub(super) fn with_deadline(table: &'a TableClient, deadline: Instant) -> Self {
        Self {
            table,
            deadline,
            failure: OnceLock::new(),
        }
    }

    /// Puts up to [`batch_write::MAX_REQUESTS`] readings without a version, except
    /// those that exist and those whose index `has_caller` rejects. Returns for each
    /// whether it was written.
    pub(super) async fn put_absent(
        &self,
        readings: &[&Reading],
        has_caller: impl Fn(usize) -> bool,
    ) -> Vec<Result<bool, StoreError>> {
        let stored = match self.stored(readings.iter().copied()).await {
            Ok(stored) => stored,
            Err(error) => return vec![Err(error); readings.len()],
        };
        let indices: Vec<usize> = (0..readings.len())
            .filter(|&index| has_caller(index) && !stored.contains_key(&key_of(readings[index])))
            .collect();
        let absent: Vec<&Reading> = indices.iter().map(|&index| readings[index]).collect();
        let written = self.put_new(&absent).await;
        let mut outcomes = vec![Ok(false); readings.len()];
        for (index, put) in indices.into_iter().zip(written) {
            outcomes[index] = put.map(|()| true);
        }
        outcomes
    }

    /// Returns the error that aborted the batch, if any.
    fn abort_reason(&self) -> Option<StoreError> {
        if Instant::now() >= self.deadline {
            self.record_failure(&StoreError::unavailable("the batch timed out"));
        }
        self.failure.get().cloned()
    }

    /// Records a failure that the rest of the batch would meet too.
    fn record_failure(&self, error: &StoreError) {
        if !matches!(error, StoreError::Corrupt(_)) {
            let _ = self.failure.set(error.clone());
        }
    }

    /// Puts a reading on the condition that its version requires.
    async fn put_one(&self, (index, reading): Indexed) -> IndexedStatus {
        if let Some(error) = self.abort_reason() {
            return (index, Err(error));
        }
        let mut backoff = short_backoff();
        let outcome = loop {
            match self.table.put_one(&reading).await {
                Ok(put) => break Ok(put.status(&reading)),
                Err(error) => {
                    if let Err(error) = backoff_or_fail(error, &mut backoff, self.deadline).await {
                        break Err(error);
                    }
                }
            }
        };
        if let Err(error) = &outcome {
            self.record_failure(error);
        }
        (index, outcome)
    }

    /// Puts up to [`MAX_KEYS`] readings without a version.
    async fn put_chunk(&self, chunk: Vec<Indexed>) -> Vec<IndexedStatus> {
        let stored = match self.abort_reason() {
            Some(error) => Err(error),
            None => self.stored(chunk.iter().map(|(_, reading)| reading)).await,
        };
        let stored = match stored {
            Ok(stored) => stored,
            Err(error) => {
                self.record_failure(&error);
                let outcome = |(index, _)| (index, Err(error.clone()));
                return chunk.into_iter().map(outcome).collect();
            }
        };
        let mut outcomes: Vec<IndexedStatus> = Vec::with_capacity(chunk.len());
        let (mut unindexed, mut new) = (Vec::new(), Vec::new());
        for (index, one) in chunk {
            match stored.get(&key_of(&one)) {
                Some(StoredForm::Complete) => outcomes.push((index, Ok(BatchPutStatus::Unchanged))),
                Some(StoredForm::MissingIndexKey) => unindexed.push((index, one)),
                None => new.push((index, one)),
            }
        }
        let unindexed = stream::iter(unindexed)
            .map(|one| self.put_one(one))
            .buffer_unordered(MAX_CONCURRENT_RECORDS)
            .collect::<Vec<IndexedStatus>>();
        outcomes.extend(unindexed.await);
        for some in new.chunks(batch_write::MAX_REQUESTS) {
            let readings: Vec<&Reading> = some.iter().map(|(_, reading)| reading).collect();
            let written = self.put_new(&readings).await.into_iter();
            let statuses = written.map(|put| put.map(|()| BatchPutStatus::Stored));
            outcomes.extend(some.iter().map(|(index, _)| *index).zip(statuses));
        }
        outcomes
    }

    /// Writes up to [`batch_write::MAX_REQUESTS`] readings that do not exist.
    async fn put_new(&self, readings: &[&Reading]) -> Vec<Result<(), StoreError>> {
        // DynamoDB rejects an empty call.
        if readings.is_empty() {
            return Vec::new();
        }
        let TableClient {
            client,
            table,
            errors,
            ..
        } = self.table;
        let written = match self.abort_reason() {
            Some(error) => Err(Err(error)),
            None => {
                let requests: Result<Vec<_>, _> = readings
                    .iter()
                    .map(|reading| batch_write::put(item::encode(reading)))
                    .collect();
                match requests {
                    Err(error) => Err(Err(error)),
                    Ok(requests) => {
                        batch_write::send(client, table, errors, requests, self.deadline)
                            .await
                            .map_err(Ok)
                    }
                }
            }
        };
        let outcome_of = |reading: &Reading| match &written {
            Ok(()) => Ok(()),
            Err(Ok(partial)) if !partial.contains(reading) => Ok(()),
            Err(Ok(partial)) => Err(partial.error.clone()),
            Err(Err(error)) => Err(error.clone()),
        };
        readings
            .iter()
            .map(|reading| outcome_of(reading).inspect_err(|error| self.record_failure(error)))
            .collect()
    }

    /// Returns which of `readings` exist, and in which form.
    async fn stored(
        &self,
        readings: impl Iterator<Item = &Reading>,
    ) -> Result<HashMap<ReadingKey, StoredForm>, StoreError> {
        let keys = readings.map(|reading| {
            let measurement = &reading.measurement;
            key(&measurement.user_id, reading.id)
        });
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys.collect()))
            .consistent_read(true)
            .projection_expression(format!("{USER_ID}, {DATA_ID}, {TYPE_KEY}"))
            .build();
        let request = request.map_err(StoreError::unavailable)?;
        let table = &self.table.table;
        let mut pending = HashMap::from([(table.clone(), request)]);
        let mut stored = HashMap::new();
        let (mut backoff, mut short_backoff) = (backoff(), short_backoff());
        loop {
            let response = self
                .table
                .client
                .batch_get_item()
                .set_request_items(Some(pending.clone()))
                .send()
                .await;
            let response = match response {
                Ok(response) => response,
                Err(error) => {
                    let error = self.table.errors.classify("BatchGetItem", error);
                    backoff_or_fail(error, &mut short_backoff, self.deadline).await?;
                    continue;
                }
            };
            let items = response
                .responses
                .unwrap_or_default()
                .into_values()
                .flatten();
            for mut item in items {
                if let (Some(AttributeValue::S(user_id)), Some(AttributeValue::S(id))) =
                    (item.remove(USER_ID), item.remove(DATA_ID))
                {
                    let form = match item.contains_key(TYPE_KEY) {
                        true => StoredForm::Complete,
                        false => StoredForm::MissingIndexKey,
                    };
                    // The key was requested, so both parts parse.
                    if let (Ok(user_id), Ok(id)) = (user_id.parse(), id.parse()) {
                        stored.insert((user_id, id), form);
                    }
                }
            }
            // DynamoDB always sends the map, empty if nothing is left.
            pending = response.unprocessed_keys.ok_or_else(|| {
                StoreError::unavailable("the response of BatchGetItem lacks UnprocessedKeys")
            })?;
            if pending.is_empty() {
                return Ok(stored);
            }
            let error =
                StoreError::throttled("BatchGetItem left keys unprocessed until the deadline");
            backoff_or_fail(error, &mut backoff, self.deadline).await?;
        }
    }
}
