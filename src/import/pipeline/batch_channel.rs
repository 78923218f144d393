use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::checkpoint::CheckpointPosition;
use crate::import::record::{Found, Records};
use crate::import::source_location::{SourceError, SourceLocation};

/// The most readings that are stored with one call.
const MOST_READINGS: usize = 500;

/// The most bytes of metadata that are stored with one call.
const MOST_METADATA: usize = 1024 * 1024;

/// The most records in a batch, where few of them are readings.
const MOST_RECORDS: usize = 2_000;

/// How many batches wait to be stored.
const WAITING: usize = 2;

/// Some of what a source yields, in its order.
pub type Batch = Vec<Found>;

/// A source as the pipeline reads it: batches, and how many records they have
/// held so far by the reader's own count.
pub struct BatchReceiver {
    pub(super) batches: mpsc::Receiver<Batch>,
    pub(super) read: Arc<AtomicU64>,
    pub(super) ending: Arc<EndState>,
}

/// How a feed came to its end.
#[derive(Default)]
pub(super) struct EndState {
    /// How many of those who read have not said that they are at the end.
    unfinished: AtomicUsize,
    /// Why there is more that could not be read.
    broken_off: Mutex<Option<SourceError>>,
}

/// Where a [`BatchReceiver`] comes from: takes what a source yields and sends it on in
/// batches.
pub struct BatchSender {
    batches: mpsc::Sender<Batch>,
    read: Arc<AtomicU64>,
    ending: Arc<EndState>,
    batch: Batch,
    readings: usize,
    metadata: usize,
}

/// That nobody wants more of a source.
#[derive(Debug)]
pub struct ReceiverDropped;

impl BatchReceiver {
    /// A feed, and where to put what it yields.
    pub fn channel() -> (BatchSender, Self) {
        let (sender, batches) = mpsc::channel(WAITING);
        let feeder = BatchSender::new(sender, Arc::default(), Arc::default());
        let feed = Self {
            batches,
            read: Arc::clone(&feeder.read),
            ending: Arc::clone(&feeder.ending),
        };
        (feeder, feed)
    }

    /// Reads `records` on a thread of its own, as it may wait for a disk.
    /// What `settled` names has been dealt with, and is left out.
    pub fn of(mut records: Records, settled: Option<CheckpointPosition>) -> Self {
        let (mut feeder, feed) = Self::channel();
        tokio::task::spawn_blocking(move || {
            let is_wanted = || !feeder.batches.is_closed();
            match settled.map_or(Ok(true), |it| it.skip(&mut records, is_wanted)) {
                Ok(true) => {}
                Ok(false) => return,
                Err(damage) => return feeder.ending.break_off(damage),
            }
            for found in records {
                feeder.take(found);
                if feeder.is_full() {
                    let batch = feeder.pack();
                    if feeder.batches.blocking_send(batch).is_err() {
                        return;
                    }
                }
            }
            let batch = feeder.pack();
            if feeder.batches.blocking_send(batch).is_ok() {
                feeder.ending.finish();
            }
        });
        feed
    }
}

impl BatchSender {
    fn new(batches: mpsc::Sender<Batch>, read: Arc<AtomicU64>, ending: Arc<EndState>) -> Self {
        ending.unfinished.fetch_add(1, Ordering::Relaxed);
        Self {
            batches,
            read,
            ending,
            batch: Vec::new(),
            readings: 0,
            metadata: 0,
        }
    }

    /// Another way into the same feed, which then ends where both have ended.
    pub fn another(&self) -> Self {
        let (read, ending) = (Arc::clone(&self.read), Arc::clone(&self.ending));
        Self::new(self.batches.clone(), read, ending)
    }

    fn take(&mut self, found: Found) {
        if let Ok(record) = &found {
            let (readings, metadata) = record.weight();
            self.readings += readings;
            self.metadata += metadata;
            self.read.fetch_add(1, Ordering::Relaxed);
        }
        self.batch.push(found);
    }

    fn is_full(&self) -> bool {
        self.readings >= MOST_READINGS
            || self.metadata >= MOST_METADATA
            || self.batch.len() >= MOST_RECORDS
    }

    fn pack(&mut self) -> Batch {
        self.readings = 0;
        self.metadata = 0;
        std::mem::take(&mut self.batch)
    }

    /// Takes what a source yields that is read on the runtime's own threads.
    ///
    /// # Errors
    /// When nobody wants more.
    pub async fn push(&mut self, found: Found) -> Result<(), ReceiverDropped> {
        self.take(found);
        match self.is_full() {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Sends on what has been taken.
    ///
    /// # Errors
    /// When nobody wants more.
    pub async fn flush(&mut self) -> Result<(), ReceiverDropped> {
        let batch = self.pack();
        self.batches.send(batch).await.map_err(|_| ReceiverDropped)
    }

    /// Sends on the last that was taken, and says that it is the last. Without
    /// that, a feed is taken for one whose reader failed.
    ///
    /// # Errors
    /// When nobody wants more.
    pub async fn finish(&mut self) -> Result<(), ReceiverDropped> {
        self.flush().await?;
        self.ending.finish();
        Ok(())
    }

    /// Sends on what has been taken, and says why no more can be read.
    ///
    /// # Errors
    /// When nobody wants more.
    pub async fn break_off(&mut self, damage: SourceError) -> Result<(), ReceiverDropped> {
        self.flush().await?;
        self.ending.break_off(damage);
        Ok(())
    }
}

impl EndState {
    fn finish(&self) {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
    }

    fn break_off(&self, damage: SourceError) {
        let broken_off = self.broken_off.lock();
        let mut broken_off = broken_off.unwrap_or_else(PoisonError::into_inner);
        broken_off.get_or_insert(damage);
    }

    /// Why the feed ended before the source did, if so.
    pub(super) fn fault(&self) -> Option<SourceError> {
        let broken_off = self.broken_off.lock();
        let broken_off = broken_off.unwrap_or_else(PoisonError::into_inner).clone();
        let is_open = self.unfinished.load(Ordering::Relaxed) > 0;
        broken_off.or_else(|| {
            let problem = "its reader failed before its end, which is a fault of this program: please report it";
            is_open.then(|| SourceError::new(SourceLocation::new("the source", 0), problem))
        })
    }
}
