//! Single puts that share calls.
//!
//! A put is sent by itself as long as few are under way. What comes meanwhile
//! waits for one of those to end, and then goes as one batch: under load a call
//! has many readings, and without load none waits. There is no timer.
//!
//! Only readings without a version: of others DynamoDB has to compare it, which
//! `BatchWriteItem` cannot. Nor does that know of conditions, so a reading that is
//! being put is not put a second time until that has ended: all who send it are
//! answered the same. Where another task or a batch puts the same one at the same
//! moment, or a call that was given up for lost reaches the table after the reading
//! was sent again, either's `created_at` may be the one that stays, as in [`batch_put`].
//!
//! What nobody waits for any more is not begun.
//!
//! [`batch_put`]: super::batch_put

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch_put::{Name, PutAll, name};
use super::{DynamoDbStore, batch_write};
use crate::domain::Reading;
use crate::store::{PutResult, StoreError};

/// How many calls are under way before puts wait. With two of them, one that is
/// slow does not hold up the others.
const CALLS_AT_ONCE: usize = 2;

/// The puts that wait, and the calls under way.
#[derive(Clone, Default)]
pub(super) struct SharedPuts(Arc<Mutex<Queue>>);

#[derive(Default)]
struct Queue {
    calls: usize,
    waiting: Vec<Waiting>,
    /// What the calls put.
    under_way: HashSet<Name>,
}

/// A put that waits for a call.
struct Waiting {
    reading: Reading,
    outcome: oneshot::Sender<Result<PutResult, StoreError>>,
}

impl SharedPuts {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// As many as fit in a call, but for those that are being put already.
    fn take(&mut self) -> Vec<Waiting> {
        let mut room = batch_write::MOST;
        let mut names = HashSet::new();
        let (taken, left) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| {
                let name = name(&waiting.reading);
                let is_free = names.contains(&name) || !self.under_way.contains(&name);
                let goes = room > 0 && is_free;
                if goes {
                    room -= 1;
                    names.insert(name);
                }
                goes
            });
        self.under_way.extend(names);
        self.waiting = left;
        taken
    }
}

/// How a put goes.
enum Turn {
    /// By itself, now.
    Now(Reading),
    /// With others, when they get to it.
    Later(oneshot::Receiver<Result<PutResult, StoreError>>),
}

/// Puts `reading`, which has no version.
pub(super) async fn put(store: &DynamoDbStore, reading: Reading) -> Result<PutResult, StoreError> {
    match turn(store, reading) {
        Turn::Now(reading) => {
            let names = vec![name(&reading)];
            let _call = Call { store, names };
            store.put_by_itself(reading).await
        }
        Turn::Later(outcome) => outcome
            .await
            .unwrap_or_else(|_| Err(StoreError::unavailable("the service stops"))),
    }
}

fn turn(store: &DynamoDbStore, reading: Reading) -> Turn {
    let mut queue = store.shared_puts.queue();
    if queue.calls < CALLS_AT_ONCE && queue.under_way.insert(name(&reading)) {
        queue.calls += 1;
        return Turn::Now(reading);
    }
    let (sender, outcome) = oneshot::channel();
    queue.waiting.push(Waiting {
        reading,
        outcome: sender,
    });
    // A full call has nothing to wait for.
    if queue.waiting.len() >= batch_write::MOST {
        let waiting = queue.take();
        if !waiting.is_empty() {
            queue.calls += 1;
            drop(queue);
            send(store, waiting);
        }
    }
    Turn::Later(outcome)
}

/// A call under way. At its end those who wait go next, also if it was given up.
struct Call<'a> {
    store: &'a DynamoDbStore,
    names: Vec<Name>,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let mut queue = self.store.shared_puts.queue();
        for name in &self.names {
            queue.under_way.remove(name);
        }
        // Where there are more calls than usual, another one takes them.
        let waiting = match queue.calls > CALLS_AT_ONCE {
            true => Vec::new(),
            false => queue.take(),
        };
        if waiting.is_empty() {
            queue.calls -= 1;
            return;
        }
        drop(queue);
        send(self.store, waiting);
    }
}

/// Begins a call, which is counted already, in a task of its own: it is nobody's
/// who waits, and goes on when one of them goes away.
fn send(store: &DynamoDbStore, waiting: Vec<Waiting>) {
    let store = store.clone();
    // Without a runtime the process ends, and nobody waits any more.
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(async move {
            let names = waiting.iter().map(|waiting| name(&waiting.reading));
            let _call = Call {
                store: &store,
                names: names.collect(),
            };
            put_together(&store, waiting).await;
        });
    }
}

/// Puts them in one call, as far as they are not held already.
async fn put_together(store: &DynamoDbStore, mut waiting: Vec<Waiting>) {
    waiting.retain(|waiting| !waiting.outcome.is_closed());
    // Of one alone the condition costs nothing.
    if waiting.len() <= 1 {
        return put_by_themselves(store, waiting).await;
    }
    let mut seen = HashSet::with_capacity(waiting.len());
    let (shared, again): (Vec<Waiting>, Vec<Waiting>) = waiting
        .into_iter()
        .partition(|waiting| seen.insert(name(&waiting.reading)));
    let batch = PutAll::until(store, Instant::now() + store.operation_timeout);
    let readings: Vec<&Reading> = shared.iter().map(|waiting| &waiting.reading).collect();
    let outcomes = batch
        .put_absent(&readings, |place| !shared[place].outcome.is_closed())
        .await;
    let mut by_themselves = again;
    for (waiting, outcome) in shared.into_iter().zip(outcomes) {
        let Waiting {
            reading,
            outcome: sender,
        } = waiting;
        match outcome {
            // Nobody waits any more where this fails.
            Ok(true) => drop(sender.send(Ok(PutResult::Stored(reading)))),
            Err(error) if error.is_retryable() => drop(sender.send(Err(error))),
            // What is held is to be answered, or one of them spoils the call.
            Ok(false) | Err(_) => by_themselves.push(Waiting {
                reading,
                outcome: sender,
            }),
        }
    }
    put_by_themselves(store, by_themselves).await;
}

/// Puts those that are still waited for, each with calls of its own.
async fn put_by_themselves(store: &DynamoDbStore, waiting: Vec<Waiting>) {
    let puts = waiting
        .into_iter()
        .filter(|waiting| !waiting.outcome.is_closed())
        .map(async |Waiting { reading, outcome }| {
            let _ = outcome.send(store.put_by_itself(reading).await);
        });
    join_all(puts).await;
}
