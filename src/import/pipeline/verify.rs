use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::batch_channel::{BatchReceiver, RecordBatch};
use super::error::ImportError;
use super::retry::{backoff, backoff_or_fail};
use super::stop::batches_until_stopped;
use crate::domain::{DataType, Reading, UserId};
use crate::import::record::RecordContent;
use crate::store::{ReadingStore, StoreError};

/// Comparison of a source with a store.
#[derive(Debug, Default)]
pub struct Verification {
    /// Counts by user and data type.
    pub counts: BTreeMap<(UserId, DataType), VerificationCounts>,
    /// Number of source errors.
    pub source_errors: u64,
    /// True if it was interrupted.
    pub was_interrupted: bool,
}

/// Readings of one user and data type.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct VerificationCounts {
    /// Readings in the source.
    pub expected: u64,
    /// Readings stored with the same content.
    pub equal: u64,
    /// Readings of which a higher version of the client record is stored.
    pub superseded: u64,
    /// Readings that are not stored.
    pub missing: u64,
    /// Readings stored with different content.
    pub different: u64,
}

impl VerificationCounts {
    /// Returns whether every reading is stored.
    pub fn is_complete(&self) -> bool {
        self.missing == 0 && self.different == 0 && self.expected == self.equal + self.superseded
    }
}

impl Verification {
    /// Returns whether every reading of the source was read and is stored.
    pub fn is_complete(&self) -> bool {
        let mut counts = self.counts.values();
        !self.was_interrupted
            && self.source_errors == 0
            && counts.all(VerificationCounts::is_complete)
    }
}

/// State of a reading of the source in the store.
#[derive(Clone, Copy)]
enum StoredState {
    Equal,
    Superseded,
    Missing,
    Different,
}

/// Number of readings of a batch that are looked up concurrently.
const CONCURRENCY: usize = 16;

/// Looks up every reading of a source and compares all but `created_at` with
/// the stored one.
///
/// # Errors
/// The store fails permanently or for longer than the retries last, or the rest
/// of the source cannot be read.
pub async fn verify(
    batches: BatchReceiver,
    store: Arc<dyn ReadingStore>,
    concurrency: usize,
    stop: Arc<AtomicBool>,
) -> Result<Verification, ImportError> {
    let mut verification = Verification::default();
    let end = Arc::clone(&batches.end);
    let comparisons = batches_until_stopped(batches, Arc::clone(&stop))
        .map(|batch| compare(batch, store.as_ref(), &stop))
        .buffered(concurrency);
    let mut comparisons = std::pin::pin!(comparisons);
    while let Some((readings, source_errors)) = comparisons.try_next().await? {
        verification.source_errors += source_errors;
        for (user_id, data_type, state) in readings {
            let counts = verification.counts.entry((user_id, data_type)).or_default();
            counts.expected += 1;
            match state {
                StoredState::Equal => counts.equal += 1,
                StoredState::Superseded => counts.superseded += 1,
                StoredState::Missing => counts.missing += 1,
                StoredState::Different => counts.different += 1,
            }
        }
    }
    verification.was_interrupted = stop.load(Ordering::Relaxed);
    if !verification.was_interrupted
        && let Some(error) = end.error()
    {
        return Err(error.into());
    }
    Ok(verification)
}

/// The state of each reading of a batch, and the number of its source errors.
type Comparison = (Vec<(UserId, DataType, StoredState)>, u64);

async fn compare(
    batch: RecordBatch,
    store: &dyn ReadingStore,
    stop: &AtomicBool,
) -> Result<Comparison, StoreError> {
    let source_errors = batch.iter().filter(|read| read.is_err()).count() as u64;
    let readings = batch.into_iter().flatten().flat_map(|record| {
        match record.content {
            RecordContent::Readings(parts) => parts,
            RecordContent::Other(_) => Vec::new(),
        }
        .into_iter()
        .flatten()
    });
    let readings: Vec<Reading> = readings.collect();
    let lookups = readings.into_iter().map(|reading| async move {
        let mut backoff = backoff();
        let stored = loop {
            match store.get(&reading.measurement.user_id, reading.id).await {
                Ok(stored) => break stored,
                Err(error) => backoff_or_fail(error, &mut backoff, stop).await?,
            }
        };
        let state = match stored {
            None => StoredState::Missing,
            Some(stored) if stored.measurement == reading.measurement => StoredState::Equal,
            Some(stored) if reading.is_superseded_by(&stored) => StoredState::Superseded,
            Some(_) => StoredState::Different,
        };
        let measurement = reading.measurement;
        Ok((measurement.user_id, measurement.data_type, state))
    });
    let lookups: Vec<_> = lookups.collect();
    let readings = stream::iter(lookups)
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    Ok((readings, source_errors))
}
