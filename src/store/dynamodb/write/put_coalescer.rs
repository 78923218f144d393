//! Coalesces concurrent single puts into batches.
//!
//! Up to [`MAX_CALLS`] calls run at a time. A put that finds a free slot is sent at
//! once, on its own. Others queue, and when a call finishes, the queue is sent as one
//! `BatchWriteItem`: under load a call carries many readings, and without load none is
//! delayed. There is no timer.
//!
//! Only readings without a version are coalesced. Versions have to be compared by a
//! condition, which `BatchWriteItem` does not support. For the same reason a reading is
//! not written again while a call with it is in flight; further puts of it wait for
//! that call. If another task or batch writes the same reading concurrently, or a call
//! that timed out reaches the table after a retry, either `created_at` may remain, as
//! in [`batch_put`].
//!
//! Puts whose caller has gone away are dropped before they are sent.
//!
//! [`batch_put`]: super::batch_put

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch_put::{BatchPut, ReadingKey, key_of};
use super::batch_write;
use super::put::put_single;
use crate::domain::Reading;
use crate::store::dynamodb::table_client::TableClient;
use crate::store::{PutResult, StoreError};

/// Maximum number of concurrent calls. With two, a slow call does not delay all others.
const MAX_CALLS: usize = 2;

/// Queue of puts, and the calls in flight.
#[derive(Clone, Default)]
pub(in crate::store::dynamodb) struct PutCoalescer(Arc<Mutex<CoalescerState>>);

#[derive(Default)]
struct CoalescerState {
    calls: usize,
    pending: Vec<PendingPut>,
    /// Readings that the calls in flight write.
    in_flight: HashSet<ReadingKey>,
}

/// A queued put.
struct PendingPut {
    reading: Reading,
    outcome: oneshot::Sender<Result<PutResult, StoreError>>,
}

impl PutCoalescer {
    /// Puts `reading`, which must have no version.
    pub(in crate::store::dynamodb) async fn put(
        &self,
        table: &TableClient,
        reading: Reading,
    ) -> Result<PutResult, StoreError> {
        match self.acquire_slot(table, reading) {
            PutSlot::Immediate(reading) => {
                let keys = vec![key_of(&reading)];
                let _call = InFlightCall {
                    coalescer: self,
                    table,
                    keys,
                };
                put_single(table, reading).await
            }
            PutSlot::Deferred(outcome) => outcome
                .await
                .unwrap_or_else(|_| Err(StoreError::unavailable("the service is stopping"))),
        }
    }

    fn acquire_slot(&self, table: &TableClient, reading: Reading) -> PutSlot {
        let mut state = self.state();
        if state.calls < MAX_CALLS && state.in_flight.insert(key_of(&reading)) {
            state.calls += 1;
            return PutSlot::Immediate(reading);
        }
        let (sender, outcome) = oneshot::channel();
        state.pending.push(PendingPut {
            reading,
            outcome: sender,
        });
        // A full batch has nothing to wait for.
        if state.pending.len() >= batch_write::MAX_REQUESTS {
            let pending = state.next_batch();
            if !pending.is_empty() {
                state.calls += 1;
                drop(state);
                self.spawn_batch(table, pending);
            }
        }
        PutSlot::Deferred(outcome)
    }

    /// Sends a batch in a task of its own, so that cancelling one of the requests does
    /// not cancel the others. The caller has counted the call.
    fn spawn_batch(&self, table: &TableClient, pending: Vec<PendingPut>) {
        let (coalescer, table) = (self.clone(), table.clone());
        // Without a runtime the process is terminating, and no caller is left.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let keys = pending.iter().map(|pending| key_of(&pending.reading));
                let _call = InFlightCall {
                    coalescer: &coalescer,
                    table: &table,
                    keys: keys.collect(),
                };
                flush_batch(&table, pending).await;
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, CoalescerState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CoalescerState {
    /// Removes the puts of the next batch from the queue. Puts of readings that are
    /// already in flight stay.
    fn next_batch(&mut self) -> Vec<PendingPut> {
        let mut room = batch_write::MAX_REQUESTS;
        let mut keys = HashSet::new();
        let (taken, left) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| {
                let key = key_of(&pending.reading);
                let is_free = keys.contains(&key) || !self.in_flight.contains(&key);
                let is_taken = room > 0 && is_free;
                if is_taken {
                    room -= 1;
                    keys.insert(key);
                }
                is_taken
            });
        self.in_flight.extend(keys);
        self.pending = left;
        taken
    }
}

/// Slot of a new put.
enum PutSlot {
    /// A call of its own.
    Immediate(Reading),
    /// A place in the queue; receives the result.
    Deferred(oneshot::Receiver<Result<PutResult, StoreError>>),
}

/// A call in flight. Dropping it, also on cancellation, starts the next one.
struct InFlightCall<'a> {
    coalescer: &'a PutCoalescer,
    table: &'a TableClient,
    keys: Vec<ReadingKey>,
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        let mut state = self.coalescer.state();
        for key in &self.keys {
            state.in_flight.remove(key);
        }
        // Full batches may exceed the limit. Another call takes over the queue.
        let pending = match state.calls > MAX_CALLS {
            true => Vec::new(),
            false => state.next_batch(),
        };
        if pending.is_empty() {
            state.calls -= 1;
            return;
        }
        drop(state);
        self.coalescer.spawn_batch(self.table, pending);
    }
}

/// Writes the puts as one batch, except for readings that exist already.
async fn flush_batch(table: &TableClient, mut pending: Vec<PendingPut>) {
    pending.retain(|pending| !pending.outcome.is_closed());
    // A single conditional put needs no extra read.
    if pending.len() <= 1 {
        return put_each(table, pending).await;
    }
    let mut seen = HashSet::with_capacity(pending.len());
    let (batched, repeated): (Vec<PendingPut>, Vec<PendingPut>) = pending
        .into_iter()
        .partition(|pending| seen.insert(key_of(&pending.reading)));
    let batch = BatchPut::with_deadline(table, Instant::now() + table.operation_timeout);
    let readings: Vec<&Reading> = batched.iter().map(|pending| &pending.reading).collect();
    let outcomes = batch
        .put_absent(&readings, |index| !batched[index].outcome.is_closed())
        .await;
    let mut individual = repeated;
    for (pending, outcome) in batched.into_iter().zip(outcomes) {
        let PendingPut {
            reading,
            outcome: sender,
        } = pending;
        match outcome {
            // Sending fails only if the caller has gone away.
            Ok(true) => drop(sender.send(Ok(PutResult::Stored(reading)))),
            Err(error) if error.is_retryable() => drop(sender.send(Err(error))),
            // The result must contain the stored reading; or one reading spoils the
            // whole batch.
            Ok(false) | Err(_) => individual.push(PendingPut {
                reading,
                outcome: sender,
            }),
        }
    }
    put_each(table, individual).await;
}

/// Puts those that still have a caller, each with requests of its own.
async fn put_each(table: &TableClient, pending: Vec<PendingPut>) {
    let puts = pending
        .into_iter()
        .filter(|pending| !pending.outcome.is_closed())
        .map(async |PendingPut { reading, outcome }| {
            let _ = outcome.send(put_single(table, reading).await);
        });
    join_all(puts).await;
}
