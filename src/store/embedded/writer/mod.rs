//! Group commit: one thread writes, and what waits together is committed
//! together.
//!
//! A commit costs a sync of the disk, however much it holds. While one is
//! under way further writes queue, and the next commit takes them all; no
//! timer delays anybody. A write whose caller has gone away before is left out.
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

use self::queue::{Closed, Queue, Queued, queue};
use self::write::{Put, Tables, Write};
use super::database_handle::Current;
use super::{OpenError, engine_fault};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::{BatchPutStatus, Erasure, PutResult, StoreError};

/// After the write with this many readings a commit takes no more, so that it
/// stays short and small.
const LARGEST_COMMIT: usize = 10_000;

/// How often it is tried to open a file again that failed, or told that it
/// cannot be.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// How often is looked meanwhile for writes to refuse, and for reads that end.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    /// Gone only while the writer is being dropped.
    queue: Option<Queue>,
    thread: Option<JoinHandle<()>>,
}

type Caller<T> = oneshot::Sender<Result<T, StoreError>>;

impl Writer {
    /// Writes to `database`, which is opened by `open_again` where it fails.
    pub(super) fn start(
        database: Arc<Current>,
        open_again: impl Fn() -> Result<Database, OpenError> + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, writes) = queue();
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&database, &open_again, writes))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(super) async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        let put = Put::of(reading)?;
        self.send(|caller| Write::Put(Box::new(put), caller)).await
    }

    /// All in one transaction, shared with whatever else waits.
    pub(super) async fn put_many(
        &self,
        readings: Vec<Reading>,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        let count = readings.len();
        let puts = readings.into_iter().map(Put::of).collect();
        let answer = match puts {
            Ok(puts) => self.send(|caller| Write::PutAll(puts, caller)).await,
            Err(error) => Err(error),
        };
        answer.unwrap_or_else(|error| vec![Err(error); count])
    }

    pub(super) async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        self.send(|caller| Write::delete(user_id, id, caller)).await
    }

    pub(super) async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        self.send(|caller| Write::erase_part(user_id, caller)).await
    }

    /// Whether the thread still takes writes.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) if !queue.is_closed() => Ok(()),
            _ => Err(stopped()),
        }
    }

    async fn send<T>(&self, write: impl FnOnce(Caller<T>) -> Write) -> Result<T, StoreError> {
        let (caller, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue
            .send(write(caller))
            .await
            .map_err(|Closed| stopped())?;
        answered.await.map_err(|_| stopped())?
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
    current: &Current,
    open_again: &impl Fn() -> Result<Database, OpenError>,
    mut writes: mpsc::UnboundedReceiver<Queued>,
) {
    let mut group = Vec::new();
    while let Some(first) = writes.blocking_recv() {
        let mut size = 0;
        let mut next = Some(first);
        while let Some(queued) = next {
            // Of others nobody would learn what became of them.
            if queued.write.is_waited_for() {
                size += queued.write.size();
                group.push(queued);
            }
            next = match size < LARGEST_COMMIT {
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
            // Before the first caller learns of it, so that readiness tells.
            current.withdraw(error.clone());
            tracing::error!("a write failed: see to the disk; the file is opened anew until then");
        }
        for queued in group.drain(..) {
            queued.write.answer(&committed);
        }
        if committed.is_err() {
            let failed = database.ok();
            let Some(opened) = open_until_it_works(current, failed, open_again, &mut writes) else {
                return;
            };
            current.set(opened);
            tracing::info!("the store's file is open again");
        }
    }
}

/// Opens the file again as soon as it can be written, and refuses what comes
/// meanwhile; `None` when nobody wants it any more.
fn open_until_it_works(
    current: &Current,
    mut failed: Option<Arc<Database>>,
    open_again: &impl Fn() -> Result<Database, OpenError>,
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
        refuse(current, writes, &mut is_closed)?;
        if !is_closed() {
            tracing::warn!("the store's file cannot be opened yet: the disk holds up a read");
        }
    }
    loop {
        match open_again() {
            Ok(database) => return Some(database),
            Err(error) => {
                tracing::warn!(%error, "the store's file cannot be opened yet");
                current.withdraw(StoreError::unavailable(error));
            }
        }
        refuse(current, writes, || false)?;
    }
}

/// Refuses what comes until it is `done`, or else time to try again; `None` when
/// nobody is left to come.
fn refuse(
    current: &Current,
    writes: &mut mpsc::UnboundedReceiver<Queued>,
    mut done: impl FnMut() -> bool,
) -> Option<()> {
    let until = Instant::now() + TRY_EVERY;
    while !done() && Instant::now() < until {
        match writes.try_recv() {
            Ok(queued) => queued.write.answer(&current.get().map(drop)),
            Err(TryRecvError::Empty) => thread::sleep(LOOK_EVERY),
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
    let transaction = database.begin_write().map_err(engine_fault)?;
    {
        let mut tables = Tables::of(&transaction)?;
        for queued in group {
            queued.write.apply(&mut tables)?;
        }
    }
    transaction.commit().map_err(engine_fault)
}
