//! Group commit: one thread writes, and what waits together is committed
//! together.
//!
//! A commit costs a sync of the disk, however much it holds. While one is
//! under way further writes queue, and the next commit takes them all; no
//! timer delays anybody. A write whose responder has gone away before is left out.
//!
//! Where a commit fails, the engine takes no more until the file is opened
//! anew. The thread does so, until it can write again; meanwhile all that the
//! store is asked is refused.

mod queue;
mod write;

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use redb::Database;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use self::queue::{Closed, Queued, WriteQueue, queue};
use self::write::{PutRequest, Tables, Write};
use super::database_handle::DatabaseHandle;
use super::{OpenError, engine_error};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::{BatchPutStatus, Erasure, PutResult, StoreError};

/// After the write with this many readings a commit takes no more, so that it
/// stays short and small.
const MAX_COMMIT_READINGS: usize = 10_000;

/// How often it is tried to open a file again that failed, or told that it
/// cannot be.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How often is looked meanwhile for writes to refuse, and for reads that end.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    /// Gone only while the writer is being dropped.
    queue: Option<WriteQueue>,
    thread: Option<JoinHandle<()>>,
}

type Responder<T> = oneshot::Sender<Result<T, StoreError>>;

impl Writer {
    /// Writes to `database`, which is opened by `reopen` where it fails.
    pub(super) fn start(
        database: Arc<DatabaseHandle>,
        reopen: impl Fn() -> Result<Database, OpenError> + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, writes) = queue();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&database, &reopen, writes))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(super) async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        let put = PutRequest::new(reading)?;
        self.send(|responder| Write::Put(Box::new(put), responder))
            .await
    }

    /// All in one transaction, shared with whatever else waits.
    pub(super) async fn put_many(
        &self,
        readings: Vec<Reading>,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        let count = readings.len();
        let puts = readings.into_iter().map(PutRequest::new).collect();
        let result = match puts {
            Ok(puts) => self.send(|responder| Write::PutMany(puts, responder)).await,
            Err(error) => Err(error),
        };
        result.unwrap_or_else(|error| vec![Err(error); count])
    }

    pub(super) async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        self.send(|responder| Write::delete(user_id, id, responder))
            .await
    }

    pub(super) async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        self.send(|responder| Write::erase_part(user_id, responder))
            .await
    }

    /// Whether the thread still takes writes.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) if !queue.is_closed() => Ok(()),
            _ => Err(stopped()),
        }
    }

    async fn send<T>(&self, write: impl FnOnce(Responder<T>) -> Write) -> Result<T, StoreError> {
        let (responder, response) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .send(write(responder))
            .await
            .map_err(|Closed| stopped())?;
        response.await.map_err(|_| stopped())?
    }
}

/// Lets the thread finish what is under way, and release the file.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

fn stopped() -> StoreError {
    StoreError::unavailable("the store's writer has stopped; restart the service")
}

fn run(
    current: &DatabaseHandle,
    reopen: &impl Fn() -> Result<Database, OpenError>,
    mut writes: mpsc::UnboundedReceiver<Queued>,
) {
    let mut group = Vec::new();
    while let Some(first) = writes.blocking_recv() {
        let mut size = 0;
        let mut next = Some(first);
        while let Some(queued) = next {
            // Of others nobody would learn what became of them.
            if queued.write.has_waiter() {
                size += queued.write.size();
                group.push(queued);
            }
            next = match size < MAX_COMMIT_READINGS {
                true => writes.try_recv().ok(),
                false => None,
            };
        }
        if group.is_empty() {
            continue;
        }
        let database = current.get();
        let committed = database
            .as_deref()
            .map_err(Clone::clone)
            .and_then(|database| commit(database, &mut group));
        if let Err(error) = &committed {
            // Before the first responder learns of it, so that readiness tells.
            current.invalidate(error.clone());
            tracing::error!("a write failed: see to the disk; the file is opened anew until then");
        }
        for queued in group.drain(..) {
            queued.write.respond(&committed);
        }
        if committed.is_err() {
            let failed = database.ok();
            let Some(opened) = reopen_with_retry(current, failed, reopen, &mut writes) else {
                return;
            };
            current.set(opened);
            tracing::info!("the store's file is open again");
        }
    }
}

/// Opens the file again as soon as it can be written, and refuses what comes
/// meanwhile; `None` when nobody wants it any more.
fn reopen_with_retry(
    current: &DatabaseHandle,
    mut failed: Option<Arc<Database>>,
    reopen: &impl Fn() -> Result<Database, OpenError>,
    writes: &mut mpsc::UnboundedReceiver<Queued>,
) -> Option<Database> {
    // It closes with the last of the reads under way, each of a page at most.
    let mut is_closed = || {
        failed = failed
            .take()
            .and_then(|database| Arc::try_unwrap(database).err());
        failed.is_none()
    };
    while !is_closed() {
        reject_writes(current, writes, &mut is_closed)?;
        if !is_closed() {
            tracing::warn!("the store's file cannot be opened yet: the disk holds up a read");
        }
    }
    loop {
        match reopen() {
            Ok(database) => return Some(database),
            Err(error) => {
                tracing::warn!(%error, "the store's file cannot be opened yet");
                current.invalidate(StoreError::unavailable(error));
            }
        }
        reject_writes(current, writes, || false)?;
    }
}

/// Refuses what comes until it is `done`, or else time to try again; `None` when
/// nobody is left to come.
fn reject_writes(
    current: &DatabaseHandle,
    writes: &mut mpsc::UnboundedReceiver<Queued>,
    mut done: impl FnMut() -> bool,
) -> Option<()> {
    let until = Instant::now() + RETRY_INTERVAL;
    while !done() && Instant::now() < until {
        match writes.try_recv() {
            Ok(queued) => queued.write.respond(&current.get().map(drop)),
            Err(TryRecvError::Empty) => thread::sleep(POLL_INTERVAL),
            Err(TryRecvError::Disconnected) => return None,
        }
    }
    Some(())
}

/// Applies the writes of a group in their order, all in one transaction.
///
/// A single sync of the disk per commit suffices: after a crash the engine
/// tells by its checksums which commit was the last whole one. Its
/// `quick_repair` would save that look, but costs each commit a second sync:
/// measured by `benches/embedded_store.rs`, a single client then writes at 0.6 of
/// the rate, while opening a million readings after a crash takes 0.3 s
/// without.
fn commit(database: &Database, group: &mut [Queued]) -> Result<(), StoreError> {
    let transaction = database.begin_write().map_err(engine_error)?;
    {
        let mut tables = Tables::open(&transaction)?;
        for queued in group {
            queued.write.apply(&mut tables)?;
        }
    }
    transaction.commit().map_err(engine_error)
}
