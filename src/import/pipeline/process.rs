//! What is done with a batch of records.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::batch_channel::Batch;
use super::migrate::delete_migrated;
use super::ordering::OrderingTicket;
use super::retry::{backoff, backoff_or_fail};
use super::summary::{Outcome, ReadingOutcome, RecordOutcome, is_implausible};
use crate::domain::Reading;
use crate::import::record::{Content, Record};
use crate::import::source_location::SourceError;
use crate::store::{BatchPutStatus, LegacyTable, ReadingStore, StoreError, put_batch};

/// Where readings go.
#[derive(Clone)]
pub enum Target {
    /// DryRun: a dry run.
    DryRun,
    /// Into a store.
    Store(Arc<dyn ReadingStore>),
    /// Into a store; the rows that they were made of are deleted once their
    /// readings were read back.
    MigrateRows(Arc<dyn ReadingStore>, Arc<LegacyTable>),
}

/// What became of an entry of a batch.
pub(super) type RecordDisposition = Result<RecordOutcome, SourceError>;

/// Deals with a batch, and tells what became of each entry, in their order.
///
/// # Errors
/// When the store fails for longer than [`backoff`], or `stop` is set while it
/// does; some of the batch may be stored then.
pub(super) async fn settle(
    batch: Batch,
    turn: OrderingTicket,
    target: Target,
    stop: Arc<AtomicBool>,
) -> Result<Vec<RecordDisposition>, StoreError> {
    let mut readings = Vec::new();
    let mut settled = Vec::with_capacity(batch.len());
    for found in batch {
        settled.push(found.map(|record| begin(record, &mut readings)));
    }
    let _done = turn.come().await;
    let outcomes = match &target {
        Target::DryRun => vec![Some(BatchPutStatus::Stored); readings.len()],
        Target::Store(store) => put(store.as_ref(), &readings, &stop).await?,
        Target::MigrateRows(store, _) => put(store.as_ref(), &readings, &stop).await?,
    };
    let old_deleted = match &target {
        Target::MigrateRows(store, table) => {
            let names = settled
                .iter()
                .flatten()
                .filter_map(RecordOutcome::moved_row);
            let moved = names.zip(&readings);
            delete_migrated(store.as_ref(), table, moved, &stop).await?
        }
        _ => vec![false; readings.len()],
    };
    let mut fates = outcomes.into_iter().zip(old_deleted);
    for done in settled.iter_mut().flatten() {
        for reading in done.readings.iter_mut().filter(|it| it.outcome.is_none()) {
            let Some((kept, old_deleted)) = fates.next() else {
                break;
            };
            reading.outcome = Some(match kept {
                Some(BatchPutStatus::Stored) => Outcome::Stored,
                _ => Outcome::Duplicate,
            });
            reading.superseded = kept == Some(BatchPutStatus::Superseded);
            reading.old_deleted = old_deleted;
        }
        let outcomes = done.readings.iter().filter_map(|reading| reading.outcome);
        done.outcome = outcomes.min().unwrap_or(Outcome::Other);
    }
    Ok(settled)
}

/// The record as it is before its readings are dealt with, which are added to
/// `readings`.
fn begin(record: Record, readings: &mut Vec<Reading>) -> RecordOutcome {
    let mut done = RecordOutcome {
        place: record.place,
        record: record.name,
        outcome: Outcome::Other,
        kind: None,
        readings: Vec::new(),
    };
    match record.content {
        Content::Other(kind) => done.kind = Some(kind.into()),
        Content::Readings(parts) => {
            for part in parts {
                done.readings.push(match part {
                    Ok(reading) => {
                        let begun = ReadingOutcome::of(reading.id, is_implausible(&reading));
                        readings.push(reading);
                        begun
                    }
                    Err(rejection) => ReadingOutcome::rejected(&rejection),
                });
            }
        }
    }
    done
}

/// Puts readings, those again that fail for a reason that may pass.
async fn put(
    store: &dyn ReadingStore,
    readings: &[Reading],
    stop: &AtomicBool,
) -> Result<Vec<Option<BatchPutStatus>>, StoreError> {
    let mut outcomes: Vec<Option<BatchPutStatus>> = vec![None; readings.len()];
    let mut backoff = backoff();
    loop {
        let missing: Vec<usize> = (0..readings.len())
            .filter(|index| outcomes[*index].is_none())
            .collect();
        if missing.is_empty() {
            return Ok(outcomes);
        }
        let again = missing.iter().map(|index| readings[*index].clone());
        let mut failure: Option<StoreError> = None;
        for (index, outcome) in missing.iter().zip(put_batch(store, again.collect()).await) {
            match outcome {
                Ok(kept) => outcomes[*index] = Some(kept),
                // Rather one that does not pass.
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
