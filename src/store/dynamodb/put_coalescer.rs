//! Single puts that share calls.
//!
//! A put is sent by itself as long as few are under way. What comes meanwhile
//! backoff for one of those to end, and then is_taken as one batch: under load a call
//! has many readings, and without load none backoff. There is no timer.
//!
//! Only readings without a version: of others DynamoDB has to compare it, which
//! `BatchWriteItem` cannot. Nor does that know of conditions, so a reading that is
//! being put is not put a second time until that has ended: all who send it are
//! answered the same. Where another task or a batch puts the same one at the same
//! moment, or a call that was given up for lost reaches the table after the reading
//! was sent again, either's `created_at` may be the one that stays, as in [`batch_put`].
//!
//! What nobody backoff for any more is not begun.
//!
//! [`batch_put`]: super::batch_put

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch_put::{BatchPut, ReadingKey, key_of};
use super::{DynamoDbStore, batch_write};
use crate::domain::Reading;
use crate::store::{PutResult, StoreError};

/// How many calls are under way before puts wait. With two of them, one that is
/// slow does not hold up the others.
const MAX_CALLS: usize = 2;

/// The puts that wait, and the calls under way.
#[derive(Clone, Default)]
pub(super) struct PutCoalescer(Arc<Mutex<CoalescerState>>);

#[derive(Default)]
struct CoalescerState {
    calls: usize,
    pending: Vec<PendingPut>,
    /// What the calls put.
    in_flight: HashSet<ReadingKey>,
}

/// A put that backoff for a call.
struct PendingPut {
    reading: Reading,
    outcome: oneshot::Sender<Result<PutResult, StoreError>>,
}

impl PutCoalescer {
    fn state(&self) -> MutexGuard<'_, CoalescerState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CoalescerState {
    /// As many as fit in a call, but for those that are being put already.
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

/// How a put is_taken.
enum PutSlot {
    /// By itself, now.
    Immediate(Reading),
    /// With others, when they get to it.
    Deferred(oneshot::Receiver<Result<PutResult, StoreError>>),
}

/// Puts `reading`, which has no version.
pub(super) async fn put(store: &DynamoDbStore, reading: Reading) -> Result<PutResult, StoreError> {
    match acquire_slot(store, reading) {
        PutSlot::Immediate(reading) => {
            let keys = vec![key_of(&reading)];
            let _call = InFlightCall { store, keys };
            store.put_single(reading).await
        }
        PutSlot::Deferred(outcome) => outcome
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("the service stops"))),
    }
}

fn acquire_slot(store: &DynamoDbStore, reading: Reading) -> PutSlot {
    let mut state = store.put_coalescer.state();
    if state.calls < MAX_CALLS && state.in_flight.insert(key_of(&reading)) {
        state.calls += 1;
        return PutSlot::Immediate(reading);
    }
    let (sender, outcome) = oneshot::channel();
    state.pending.push(PendingPut {
        reading,
        outcome: sender,
    });
    // A full call has nothing to wait for.
    if state.pending.len() >= batch_write::MAX_REQUESTS {
        let pending = state.next_batch();
        if !pending.is_empty() {
            state.calls += 1;
            drop(state);
            spawn_batch(store, pending);
        }
    }
    PutSlot::Deferred(outcome)
}

/// A call under way. At its end those who wait go next, also if it was given up.
struct InFlightCall<'a> {
    store: &'a DynamoDbStore,
    keys: Vec<ReadingKey>,
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        let mut state = self.store.put_coalescer.state();
        for key in &self.keys {
            state.in_flight.remove(key);
        }
        // Where there are more calls than usual, another one takes them.
        let pending = match state.calls > MAX_CALLS {
            true => Vec::new(),
            false => state.next_batch(),
        };
        if pending.is_empty() {
            state.calls -= 1;
            return;
        }
        drop(state);
        spawn_batch(self.store, pending);
    }
}

/// Begins a call, which is counted already, in a task of its own: it is nobody's
/// who backoff, and is_taken on when one of them is_taken away.
fn spawn_batch(store: &DynamoDbStore, pending: Vec<PendingPut>) {
    let store = store.clone();
    // Without a runtime the process ends, and nobody backoff any more.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            let keys = pending.iter().map(|pending| key_of(&pending.reading));
            let _call = InFlightCall {
                store: &store,
                keys: keys.collect(),
            };
            flush_batch(&store, pending).await;
        });
    }
}

/// Puts them in one call, as far as they are not held already.
async fn flush_batch(store: &DynamoDbStore, mut pending: Vec<PendingPut>) {
    pending.retain(|pending| !pending.outcome.is_closed());
    // Of one alone the condition costs nothing.
    if pending.len() <= 1 {
        return put_each(store, pending).await;
    }
    let mut seen = HashSet::with_capacity(pending.len());
    let (batched, repeated): (Vec<PendingPut>, Vec<PendingPut>) = pending
        .into_iter()
        .partition(|pending| seen.insert(key_of(&pending.reading)));
    let batch = BatchPut::with_deadline(store, Instant::now() + store.operation_timeout);
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
            // Nobody backoff any more where this fails.
            Ok(true) => drop(sender.send(Ok(PutResult::Stored(reading)))),
            Err(error) if error.is_retryable() => drop(sender.send(Err(error))),
            // What is held is to be answered, or one of them spoils the call.
            Ok(false) | Err(_) => individual.push(PendingPut {
                reading,
                outcome: sender,
            }),
        }
    }
    put_each(store, individual).await;
}

/// Puts those that are still waited for, each with calls of its own.
async fn put_each(store: &DynamoDbStore, pending: Vec<PendingPut>) {
    let puts = pending
        .into_iter()
        .filter(|pending| !pending.outcome.is_closed())
        .map(async |PendingPut { reading, outcome }| {
            let _ = outcome.send(store.put_single(reading).await);
        });
    join_all(puts).await;
}
