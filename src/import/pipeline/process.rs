//! Storing a batch of records.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::batch_channel::RecordBatch;
use super::migrate::delete_migrated;
use super::ordering::OrderingTicket;
use super::retry::{backoff, backoff_or_fail};
use super::summary::{Outcome, ReadingOutcome, RecordOutcome, is_implausible};
use crate::domain::Reading;
use crate::import::record::{RecordContent, SourceRecord};
use crate::import::source_location::SourceError;
use crate::store::{BatchPutStatus, LegacyTable, ReadingStore, StoreError, put_batch};

/// Destination of the readings.
#[derive(Clone)]
pub enum Target {
    /// None: readings are validated and counted only.
    DryRun,
    /// A store.
    Store(Arc<dyn ReadingStore>),
    /// A store; legacy rows are deleted once their readings are verified.
    MigrateRows(Arc<dyn ReadingStore>, Arc<LegacyTable>),
}

/// Result of processing one item of a batch.
pub(super) type RecordDisposition = Result<RecordOutcome, SourceError>;

/// Processes a batch and returns the result of each item, in the same order.
///
/// # Errors
/// The store fails permanently, for longer than [`backoff`], or while `stop` is
/// set. Part of the batch may be stored then.
pub(super) async fn process(
    batch: RecordBatch,
    ticket: OrderingTicket,
    target: Target,
    stop: Arc<AtomicBool>,
) -> Result<Vec<RecordDisposition>, StoreError> {
    let mut readings = Vec::new();
    let mut processed = Vec::with_capacity(batch.len());
    for read in batch {
        processed.push(read.map(|record| pending(record, &mut readings)));
    }
    let _permit = ticket.wait().await;
    let statuses = match &target {
        Target::DryRun => vec![Some(BatchPutStatus::Stored); readings.len()],
        Target::Store(store) => put(store.as_ref(), &readings, &stop).await?,
        Target::MigrateRows(store, _) => put(store.as_ref(), &readings, &stop).await?,
    };
    let rows_deleted = match &target {
        Target::MigrateRows(store, table) => {
            let names = processed
                .iter()
                .flatten()
                .filter_map(RecordOutcome::migrated_row);
            let migrated = names.zip(&readings);
            delete_migrated(store.as_ref(), table, migrated, &stop).await?
        }
        _ => vec![false; readings.len()],
    };
    let mut results = statuses.into_iter().zip(rows_deleted);
    for record in processed.iter_mut().flatten() {
        for reading in record.readings.iter_mut().filter(|it| it.outcome.is_none()) {
            let Some((status, row_deleted)) = results.next() else {
                break;
            };
            reading.outcome = Some(match status {
                Some(BatchPutStatus::Stored) => Outcome::Stored,
                _ => Outcome::Duplicate,
            });
            reading.superseded = status == Some(BatchPutStatus::Superseded);
            reading.old_deleted = row_deleted;
        }
        let outcomes = record.readings.iter().filter_map(|reading| reading.outcome);
        record.outcome = outcomes.min().unwrap_or(Outcome::Other);
    }
    Ok(processed)
}

/// Returns the outcome of a record whose readings are not stored yet, and adds
/// those to `readings`.
fn pending(record: SourceRecord, readings: &mut Vec<Reading>) -> RecordOutcome {
    let mut outcome = RecordOutcome {
        location: record.location,
        record: record.name,
        outcome: Outcome::Other,
        kind: None,
        readings: Vec::new(),
    };
    match record.content {
        RecordContent::Other(kind) => outcome.kind = Some(kind.into()),
        RecordContent::Readings(parts) => {
            for part in parts {
                outcome.readings.push(match part {
                    Ok(reading) => {
                        let pending = ReadingOutcome::pending(reading.id, is_implausible(&reading));
                        readings.push(reading);
                        pending
                    }
                    Err(rejection) => ReadingOutcome::rejected(&rejection),
                });
            }
        }
    }
    outcome
}

/// Stores readings, with retries of transient failures.
async fn put(
    store: &dyn ReadingStore,
    readings: &[Reading],
    stop: &AtomicBool,
) -> Result<Vec<Option<BatchPutStatus>>, StoreError> {
    let mut statuses: Vec<Option<BatchPutStatus>> = vec![None; readings.len()];
    let mut backoff = backoff();
    loop {
        let missing: Vec<usize> = (0..readings.len())
            .filter(|index| statuses[*index].is_none())
            .collect();
        if missing.is_empty() {
            return Ok(statuses);
        }
        let batch = missing.iter().map(|index| readings[*index].clone());
        let mut failure: Option<StoreError> = None;
        for (index, result) in missing.iter().zip(put_batch(store, batch.collect()).await) {
            match result {
                Ok(status) => statuses[*index] = Some(status),
                // A permanent failure takes precedence over transient ones.
                Err(error) if failure.as_ref().is_none_or(StoreError::is_retryable) => {
                    failure = Some(error);
                }
                Err(_) => {}
            }
        }
        if let Some(error) = failure {
            backoff_or_fail(error, &mut backoff, stop).await?;
        }
    }
}
