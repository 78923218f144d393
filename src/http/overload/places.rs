use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

/// Time that a request waits for a place while the queue comes and goes: long
/// enough for a burst, such as a dashboard that opens.
const BURST_PATIENCE: Duration = Duration::from_millis(500);

/// Time that a request waits while the queue is a standing one, which no wait
/// shortens.
const STANDING_PATIENCE: Duration = Duration::from_millis(10);

/// Time without an empty queue after which it counts as a standing one.
const STANDING_AFTER: Duration = Duration::from_millis(100);

/// Bounded number of places for requests at work.
///
/// Of the requests that wait, the newest is served first, as its client is the one
/// that still waits; the patience of all shrinks once the queue is a standing one.
/// This is the adaptive LIFO and the controlled delay of Maurer, "Fail at Scale",
/// ACM Queue 13(8), 2015, after `CoDel` (Nichols and Jacobson, ACM Queue 10(5), 2012):
/// what is admitted is served fast, however much is offered.
///
/// Work that was already begun waits in a queue of its own, which goes first and in
/// order.
pub struct Places {
    state: Mutex<State>,
}

struct State {
    free: usize,
    begun: VecDeque<oneshot::Sender<Place>>,
    new: VecDeque<oneshot::Sender<Place>>,
    /// Number of requests in `new` that may wait; the oldest gives way.
    max_new: usize,
    /// Time since when requests have been waiting in `new` without a pause.
    waiting_since: Option<Instant>,
}

impl Places {
    /// Creates `count` places, for which `max_waiting` requests may wait.
    pub fn new(count: usize, max_waiting: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                free: count,
                begun: VecDeque::new(),
                new: VecDeque::new(),
                max_new: max_waiting,
                waiting_since: None,
            }),
        })
    }

    /// Takes a place for a new request. Returns `None` if none becomes free while
    /// the request is fresh.
    pub async fn take(self: &Arc<Self>) -> Option<Place> {
        let (waiting, patience) = {
            let mut state = self.lock();
            if let Some(place) = self.take_free(&mut state) {
                return Some(place);
            }
            let patience = state.patience(Instant::now());
            if state.new.len() == state.max_new {
                state.new.pop_front();
            }
            let (place, waiting) = oneshot::channel();
            state.new.push_back(place);
            (waiting, patience)
        };
        timeout(patience, waiting).await.ok()?.ok()
    }

    /// Takes a place for work that was already begun. Returns `None` if none becomes
    /// free until `deadline`.
    pub async fn take_until(self: &Arc<Self>, deadline: Instant) -> Option<Place> {
        let waiting = {
            let mut state = self.lock();
            if let Some(place) = self.take_free(&mut state) {
                return Some(place);
            }
            let (place, waiting) = oneshot::channel();
            state.begun.push_back(place);
            waiting
        };
        timeout_at(deadline, waiting).await.ok()?.ok()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_free(self: &Arc<Self>, state: &mut State) -> Option<Place> {
        state.free = state.free.checked_sub(1)?;
        Some(Place(Some(Arc::clone(self))))
    }

    /// Hands a place to the next request that waits, or keeps it free.
    fn release(self: Arc<Self>) {
        let mut state = self.lock();
        let mut place = Place(Some(Arc::clone(&self)));
        loop {
            let Some(next) = state.next() else {
                state.free += 1;
                // The place is counted as free, so it must not be released again.
                place.0 = None;
                return;
            };
            match next.send(place) {
                Ok(()) => return,
                Err(refused) => place = refused,
            }
        }
    }
}

impl State {
    /// Returns how long a request may wait that starts to wait now.
    fn patience(&mut self, now: Instant) -> Duration {
        // The oldest run out of patience first.
        while self.new.front().is_some_and(oneshot::Sender::is_closed) {
            self.new.pop_front();
        }
        if self.new.is_empty() {
            self.waiting_since = None;
        }
        let since = *self.waiting_since.get_or_insert(now);
        if now.duration_since(since) >= STANDING_AFTER {
            STANDING_PATIENCE
        } else {
            BURST_PATIENCE
        }
    }

    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        let next = self.begun.pop_front().or_else(|| self.new.pop_back());
        if self.new.is_empty() {
            self.waiting_since = None;
        }
        next
    }
}

/// A place, given to the next request on drop.
pub struct Place(Option<Arc<Places>>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::yield_now;
    use tokio::time::{advance, pause};

    use super::*;

    #[tokio::test]
    async fn newest_request_is_served_first_and_begun_work_before_it() {
        let places = Places::new(1, 8);
        let held = places.take().await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for name in ["oldest", "newest", "begun"] {
            let (places, order) = (Arc::clone(&places), Arc::clone(&order));
            tasks.push(tokio::spawn(async move {
                let place = if name == "begun" {
                    let deadline = Instant::now() + Duration::from_secs(1);
                    places.take_until(deadline).await
                } else {
                    places.take().await
                };
                order.lock().unwrap().push(name);
                drop(place.unwrap());
            }));
            yield_now().await;
        }
        drop(held);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["begun", "newest", "oldest"]);
    }

    #[tokio::test]
    async fn patience_shrinks_with_a_standing_queue_and_returns_with_an_empty_one() {
        pause();
        let places = Places::new(1, 8);
        let held = places.take().await.unwrap();
        let mut waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take().await }
        });
        yield_now().await;
        advance(STANDING_AFTER).await;
        let start = Instant::now();
        assert!(places.take().await.is_none());
        assert!(start.elapsed() < BURST_PATIENCE / 10);
        drop(held);
        let held = (&mut waiting).await.unwrap().unwrap();
        let start = Instant::now();
        assert!(places.take().await.is_none());
        assert!(start.elapsed() >= BURST_PATIENCE);
        drop(held);
        assert!(places.take().await.is_some());
    }

    #[tokio::test]
    async fn abandoned_waits_lose_no_place() {
        let places = Places::new(2, 2);
        for _ in 0..100 {
            let held = [places.take().await.unwrap(), places.take().await.unwrap()];
            for _ in 0..4 {
                assert!(timeout(Duration::ZERO, places.take()).await.is_err());
            }
            drop(held);
        }
        assert_eq!(places.lock().free, 2);
    }
}
