//! Group commit: one thread writes, and what waits together is committed
//! together.
//!
//! A commit costs a sync of the disk, however much it holds. While one is
//! under way further writes queue, and the next commit takes them all; no
//! timer delays anybody.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use redb::{Database, ReadableTable, Table};
use tokio::sync::{mpsc, oneshot};

use super::{READINGS, engine_fault, record};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::{PutOutcome, StoreError};

/// How many writes may wait; further callers wait for a place.
const QUEUE: usize = 1_024;

/// The thread that writes, and the way to it.
pub(super) struct Writer {
    /// Gone only while the writer is being dropped.
    queue: Option<mpsc::Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

/// One write, what became of it, and whom to tell.
enum Write {
    Put {
        key: Vec<u8>,
        value: Vec<u8>,
        reading: Box<Reading>,
        /// The held reading that stands against this one.
        held: Result<Option<Box<Reading>>, StoreError>,
        caller: Caller<PutOutcome>,
    },
    Delete {
        key: Vec<u8>,
        existed: bool,
        caller: Caller<bool>,
    },
}

type Caller<T> = oneshot::Sender<Result<T, StoreError>>;

impl Writer {
    pub(super) fn start(database: Arc<Database>) -> io::Result<Self> {
        let (queue, writes) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || run(&database, writes))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    pub(super) async fn put(&self, reading: Reading) -> Result<PutOutcome, StoreError> {
        let key = record::key(&reading.measurement.user_id, reading.id.as_bytes());
        let value = record::encode(&reading)?;
        self.send(|caller| Write::Put {
            key,
            value,
            reading: Box::new(reading),
            held: Ok(None),
            caller,
        })
        .await
    }

    pub(super) async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        let key = record::key(user_id, id.as_bytes());
        self.send(|caller| Write::Delete {
            key,
            existed: false,
            caller,
        })
        .await
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
        queue.send(write(caller)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Lets the thread finish what it was given, and release the file.
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

fn run(database: &Database, mut writes: mpsc::Receiver<Write>) {
    let mut group = Vec::with_capacity(QUEUE);
    while writes.blocking_recv_many(&mut group, QUEUE) > 0 {
        let committed = commit(database, &mut group);
        if committed.is_err() {
            // The engine takes no more writes once one has failed, until the
            // file is opened anew. Readiness tells so by the closed queue, from
            // before the first caller learns of it; what waits in it still gets
            // an answer, then the loop ends.
            writes.close();
            tracing::error!("a write failed, and no more are taken: see to the disk, then restart");
        }
        for write in group.drain(..) {
            write.answer(&committed);
        }
    }
}

/// Applies the writes of a group in their order, all in one transaction.
///
/// A single sync of the disk per commit suffices: after a crash the engine
/// tells by its checksums which commit was the last whole one. Its
/// `quick_repair` would save that look, but costs each commit a second sync:
/// measured by `benches/embedded_store.rs`, a single client then writes at 0.6 of
/// the rate, while opening a million readings after a crash takes 0.3 s
/// without.
fn commit(database: &Database, group: &mut [Write]) -> Result<(), StoreError> {
    let transaction = database.begin_write().map_err(engine_fault)?;
    {
        let mut table = transaction.open_table(READINGS).map_err(engine_fault)?;
        for write in group {
            write.apply(&mut table)?;
        }
    }
    transaction.commit().map_err(engine_fault)
}

impl Write {
    fn apply(&mut self, table: &mut Table<'_, &[u8], &[u8]>) -> Result<(), StoreError> {
        match self {
            Self::Put {
                key,
                value,
                reading,
                held,
                ..
            } => {
                *held = match table.get(key.as_slice()).map_err(engine_fault)? {
                    None => Ok(None),
                    Some(found) => {
                        record::decode(&reading.measurement.user_id, reading.id, found.value())
                            .map(|found| (!reading.replaces(&found)).then(|| Box::new(found)))
                    }
                };
                if let Ok(None) = held {
                    table
                        .insert(key.as_slice(), value.as_slice())
                        .map_err(engine_fault)?;
                }
            }
            Self::Delete { key, existed, .. } => {
                *existed = table
                    .remove(key.as_slice())
                    .map_err(engine_fault)?
                    .is_some();
            }
        }
        Ok(())
    }

    /// Tells the caller, who may have gone away.
    fn answer(self, committed: &Result<(), StoreError>) {
        match self {
            Self::Put {
                reading,
                held,
                caller,
                ..
            } => {
                let outcome = committed.clone().and(held).map(|held| match held {
                    None => PutOutcome::Stored(*reading),
                    Some(held) => PutOutcome::stands(*held, &reading),
                });
                let _ = caller.send(outcome);
            }
            Self::Delete {
                existed, caller, ..
            } => {
                let _ = caller.send(committed.clone().map(|()| existed));
            }
        }
    }
}
