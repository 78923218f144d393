use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::batch_channel::{Batch, BatchReceiver};
use super::retry::{backoff, backoff_or_fail};
use super::{ImportError, until};
use crate::domain::{DataType, Reading, UserId};
use crate::import::record::Content;
use crate::store::{ReadingStore, StoreError};

/// What a source says, beside what a store holds.
#[derive(Debug, Default)]
pub struct Verification {
    /// By user and data type.
    pub tallies: BTreeMap<(UserId, DataType), VerificationCounts>,
    /// How many places of the source could not be read.
    pub damaged: u64,
    /// Whether it was interrupted.
    pub was_interrupted: bool,
}

/// Readings of one user and one data type.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct VerificationCounts {
    /// How many the source has.
    pub expected: u64,
    /// How many of these are held as the source has them.
    pub equal: u64,
    /// Of how many a higher version of the client's record is held.
    pub superseded: u64,
    /// How many are not held.
    pub missing: u64,
    /// How many are held with another content.
    pub different: u64,
}

impl VerificationCounts {
    /// Whether everything is held.
    pub fn is_whole(&self) -> bool {
        self.missing == 0 && self.different == 0 && self.expected == self.equal + self.superseded
    }
}

impl Verification {
    /// Whether everything is held that the source says.
    pub fn is_whole(&self) -> bool {
        !self.was_interrupted
            && self.damaged == 0
            && self.tallies.values().all(VerificationCounts::is_whole)
    }
}

/// How a reading of the source is held.
#[derive(Clone, Copy)]
enum Held {
    Equal,
    Superseded,
    Missing,
    Different,
}

/// How many readings of a batch are looked up at once.
const AT_ONCE: usize = 16;

/// Looks up every reading that `feed` yields and compares what is held under
/// its id with it, by everything but when it was taken in.
///
/// # Errors
/// When the store fails for longer than one backoff, or the source cannot be read
/// to its end.
pub async fn verify(
    feed: BatchReceiver,
    store: Arc<dyn ReadingStore>,
    concurrency: usize,
    stop: Arc<AtomicBool>,
) -> Result<Verification, ImportError> {
    let mut verification = Verification::default();
    let ending = Arc::clone(&feed.ending);
    let batches = until(feed, Arc::clone(&stop))
        .map(|batch| compare(batch, store.as_ref(), &stop))
        .buffered(concurrency);
    let mut batches = std::pin::pin!(batches);
    while let Some((compared, damaged)) = batches.try_next().await? {
        verification.damaged += damaged;
        for (user_id, data_type, held) in compared {
            let tally = verification
                .tallies
                .entry((user_id, data_type))
                .or_default();
            tally.expected += 1;
            match held {
                Held::Equal => tally.equal += 1,
                Held::Superseded => tally.superseded += 1,
                Held::Missing => tally.missing += 1,
                Held::Different => tally.different += 1,
            }
        }
    }
    verification.was_interrupted = stop.load(Ordering::Relaxed);
    if !verification.was_interrupted
        && let Some(fault) = ending.fault()
    {
        return Err(fault.into());
    }
    Ok(verification)
}

type Compared = (Vec<(UserId, DataType, Held)>, u64);

async fn compare(
    batch: Batch,
    store: &dyn ReadingStore,
    stop: &AtomicBool,
) -> Result<Compared, StoreError> {
    let damaged = batch.iter().filter(|found| found.is_err()).count() as u64;
    let readings = batch.into_iter().flatten().flat_map(|record| {
        match record.content {
            Content::Readings(parts) => parts,
            Content::Other(_) => Vec::new(),
        }
        .into_iter()
        .flatten()
    });
    let readings: Vec<Reading> = readings.collect();
    let compared = readings.into_iter().map(|reading| async move {
        let mut backoff = backoff();
        let held = loop {
            match store.get(&reading.measurement.user_id, reading.id).await {
                Ok(held) => break held,
                Err(error) => backoff_or_fail(error, &mut backoff, stop).await?,
            }
        };
        let how = match held {
            None => Held::Missing,
            Some(held) if held.measurement == reading.measurement => Held::Equal,
            Some(held) if reading.is_superseded_by(&held) => Held::Superseded,
            Some(_) => Held::Different,
        };
        let measurement = reading.measurement;
        Ok((measurement.user_id, measurement.data_type, how))
    });
    let compared: Vec<_> = compared.collect();
    let compared = stream::iter(compared)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok((compared, damaged))
}
