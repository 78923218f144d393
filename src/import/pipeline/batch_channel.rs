use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::checkpoint::CheckpointPosition;
use crate::import::record::{ReadResult, Records};
use crate::import::source_location::{SourceError, SourceLocation};

/// Maximum number of readings per batch, which is stored with one call.
const MAX_READINGS: usize = 500;

/// Maximum size of the metadata per batch.
const MAX_METADATA_BYTES: usize = 1024 * 1024;

/// Maximum number of records per batch, for sources in which few are readings.
const MAX_RECORDS: usize = 2_000;

/// Number of batches that wait to be stored.
const CHANNEL_CAPACITY: usize = 2;

/// Consecutive items of a source.
pub type RecordBatch = Vec<ReadResult>;

/// Receiving end of a source: its batches, and the number of records in them by
/// the reader's own count.
pub struct BatchReceiver {
    pub(super) batches: mpsc::Receiver<RecordBatch>,
    pub(super) read: Arc<AtomicU64>,
    pub(super) end: Arc<EndState>,
}

/// End of a source: complete, failed or unfinished.
#[derive(Default)]
pub(super) struct EndState {
    /// Number of senders that have not finished.
    unfinished: AtomicUsize,
    /// Error that ended reading.
    error: Mutex<Option<SourceError>>,
}

/// Sending end of a source, which collects items into batches.
pub struct BatchSender {
    batches: mpsc::Sender<RecordBatch>,
    read: Arc<AtomicU64>,
    end: Arc<EndState>,
    batch: RecordBatch,
    readings: usize,
    metadata_bytes: usize,
}

/// Error of sending to a receiver that is gone.
#[derive(Debug)]
pub struct ReceiverDropped;

impl BatchReceiver {
    /// Returns a sender and its receiver.
    pub fn channel() -> (BatchSender, Self) {
        let (sender, batches) = mpsc::channel(CHANNEL_CAPACITY);
        let sender = BatchSender::new(sender, Arc::default(), Arc::default());
        let receiver = Self {
            batches,
            read: Arc::clone(&sender.read),
            end: Arc::clone(&sender.end),
        };
        (sender, receiver)
    }

    /// Reads `records` on a blocking thread, skipping those up to `position`.
    pub fn from_records(mut records: Records, position: Option<CheckpointPosition>) -> Self {
        let (mut sender, receiver) = Self::channel();
        tokio::task::spawn_blocking(move || {
            let has_receiver = || !sender.batches.is_closed();
            match position.map_or(Ok(true), |it| it.skip(&mut records, has_receiver)) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return sender.end.abort(error),
            }
            for read in records {
                sender.add(read);
                if sender.is_full() {
                    let batch = sender.take_batch();
                    if sender.batches.blocking_send(batch).is_err() {
                        return;
                    }
                }
            }
            let batch = sender.take_batch();
            if sender.batches.blocking_send(batch).is_ok() {
                sender.end.finish();
            }
        });
        receiver
    }
}

impl BatchSender {
    fn new(batches: mpsc::Sender<RecordBatch>, read: Arc<AtomicU64>, end: Arc<EndState>) -> Self {
        end.unfinished.fetch_add(1, Ordering::Relaxed);
        Self {
            batches,
            read,
            end,
            batch: Vec::new(),
            readings: 0,
            metadata_bytes: 0,
        }
    }

    /// Returns another sender to the same receiver. The source is complete once
    /// all senders have finished.
    pub fn clone_sender(&self) -> Self {
        let (read, end) = (Arc::clone(&self.read), Arc::clone(&self.end));
        Self::new(self.batches.clone(), read, end)
    }

    fn add(&mut self, read: ReadResult) {
        if let Ok(record) = &read {
            let (readings, metadata_bytes) = record.weight();
            self.readings += readings;
            self.metadata_bytes += metadata_bytes;
            self.read.fetch_add(1, Ordering::Relaxed);
        }
        self.batch.push(read);
    }

    fn is_full(&self) -> bool {
        self.readings >= MAX_READINGS
            || self.metadata_bytes >= MAX_METADATA_BYTES
            || self.batch.len() >= MAX_RECORDS
    }

    fn take_batch(&mut self) -> RecordBatch {
        self.readings = 0;
        self.metadata_bytes = 0;
        std::mem::take(&mut self.batch)
    }

    /// Adds an item to the batch, and sends the batch when it is full.
    ///
    /// # Errors
    /// The receiver is gone.
    pub async fn push(&mut self, read: ReadResult) -> Result<(), ReceiverDropped> {
        self.add(read);
        match self.is_full() {
            true => self.flush().await,
            false => Ok(()),
        }
    }

    /// Sends the batch as it is.
    ///
    /// # Errors
    /// The receiver is gone.
    pub async fn flush(&mut self) -> Result<(), ReceiverDropped> {
        let batch = self.take_batch();
        self.batches.send(batch).await.map_err(|_| ReceiverDropped)
    }

    /// Sends the last batch and marks the source as complete. A sender that is
    /// dropped before counts as a failed reader.
    ///
    /// # Errors
    /// The receiver is gone.
    pub async fn finish(&mut self) -> Result<(), ReceiverDropped> {
        self.flush().await?;
        self.end.finish();
        Ok(())
    }

    /// Sends the last batch and the reason why the rest cannot be read.
    ///
    /// # Errors
    /// The receiver is gone.
    pub async fn abort(&mut self, error: SourceError) -> Result<(), ReceiverDropped> {
        self.flush().await?;
        self.end.abort(error);
        Ok(())
    }
}

impl EndState {
    fn finish(&self) {
        self.unfinished.fetch_sub(1, Ordering::Relaxed);
    }

    fn abort(&self, error: SourceError) {
        let first = self.error.lock();
        let mut first = first.unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
    }

    /// Returns why the batches ended before the source did, if so.
    pub(super) fn error(&self) -> Option<SourceError> {
        let error = self.error.lock();
        let error = error.unwrap_or_else(PoisonError::into_inner).clone();
        let is_unfinished = self.unfinished.load(Ordering::Relaxed) > 0;
        error.or_else(|| {
            let problem =
                "its reader failed before the end, which is a bug in this program: please report it";
            is_unfinished
                .then(|| SourceError::new(SourceLocation::new("the source", 0), problem))
        })
    }
}
