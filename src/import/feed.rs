use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use super::checkpoint::Settled;
use super::record::{Found, Records};

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
pub struct Feed {
    pub(super) batches: mpsc::Receiver<Batch>,
    pub(super) read: Arc<AtomicU64>,
}

/// Where a [`Feed`] comes from: takes what a source yields and sends it on in
/// batches.
pub struct Feeder {
    batches: mpsc::Sender<Batch>,
    read: Arc<AtomicU64>,
    batch: Batch,
    readings: usize,
    metadata: usize,
}

/// That nobody wants more of a source.
#[derive(Debug)]
pub struct NotWanted;

impl Feed {
    /// A feed, and where to put what it yields.
    pub fn channel() -> (Feeder, Self) {
        let (sender, batches) = mpsc::channel(WAITING);
        let read = Arc::new(AtomicU64::new(0));
        let feeder = Feeder {
            batches: sender,
            read: Arc::clone(&read),
            batch: Vec::new(),
            readings: 0,
            metadata: 0,
        };
        (feeder, Self { batches, read })
    }

    /// Reads `records` on a thread of its own, as it may wait for a disk.
    /// What `settled` names has been dealt with, and is left out.
    pub fn of(mut records: Records, settled: Option<Settled>) -> Self {
        let (mut feeder, feed) = Self::channel();
        tokio::task::spawn_blocking(move || {
            let records = match settled.map_or(Ok(()), |settled| settled.skip(&mut records)) {
                Ok(()) => records,
                Err(damage) => Box::new(std::iter::once(Err(damage))),
            };
            for found in records {
                feeder.take(found);
                if feeder.is_full() {
                    let batch = feeder.pack();
                    if feeder.batches.blocking_send(batch).is_err() {
                        return;
                    }
                }
            }
            // Nobody may be there any more, which is as good as the end.
            let batch = feeder.pack();
            let _ = feeder.batches.blocking_send(batch);
        });
        feed
    }
}

impl Feeder {
    /// Another way into the same feed.
    pub fn another(&self) -> Self {
        Self {
            batches: self.batches.clone(),
            read: Arc::clone(&self.read),
            batch: Vec::new(),
            readings: 0,
            metadata: 0,
        }
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
    pub async fn push(&mut self, found: Found) -> Result<(), NotWanted> {
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
    pub async fn flush(&mut self) -> Result<(), NotWanted> {
        let batch = self.pack();
        self.batches.send(batch).await.map_err(|_| NotWanted)
    }
}
