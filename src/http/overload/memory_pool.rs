use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::owner::{Age, Owner};

/// Budget of memory in bytes, shared by the requests of some route classes.
///
/// Requests that wait for memory are served by age. A principal takes at most half, and
/// a client address, which many principals may share, at most seven eighths, so that
/// none keeps the others out. A pool whose memory comes back within seconds *lends*: it
/// ignores these shares while no other principal waits. A reserve is for the oldest
/// request alone, so that it can finish whatever the others hold, and after it the next.
#[derive(Clone)]
pub struct MemoryPool(Arc<Pool>);

struct Pool {
    capacity: usize,
    /// Bytes for the oldest request alone.
    reserve: usize,
    lends: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: usize,
    /// Bytes by principal and by address.
    used_by: HashMap<u64, usize>,
    /// Requests that hold memory.
    holding: BTreeSet<Age>,
    waiting: BTreeMap<Age, Waiting>,
}

#[derive(PartialEq, Eq)]
enum Verdict {
    Fits,
    ExceedsShare,
    NoRoom,
}

struct Waiting {
    bytes: usize,
    owner: Owner,
    granted: oneshot::Sender<MemoryLease>,
}

impl MemoryPool {
    /// Creates a pool of `capacity` bytes with fixed shares.
    pub fn with_shares(capacity: usize) -> Self {
        Self::new(capacity, 0, false)
    }

    /// Creates a pool of `capacity` bytes that lends, with a reserve for the oldest
    /// request.
    pub fn lending(capacity: usize, reserve: usize) -> Self {
        Self::new(capacity, reserve, true)
    }

    fn new(capacity: usize, reserve: usize, lends: bool) -> Self {
        Self(Arc::new(Pool {
            capacity,
            reserve,
            lends,
            state: Mutex::default(),
        }))
    }

    /// Leases `bytes`. Returns `None` if they do not become available until
    /// `deadline`. A request has one lease, and grows it if it needs more.
    pub async fn lease(
        &self,
        bytes: usize,
        age: Age,
        owner: Owner,
        deadline: Instant,
    ) -> Option<MemoryLease> {
        {
            let mut state = self.lock();
            if state.waiting.is_empty() && self.judge(&state, bytes, age, owner) == Verdict::Fits {
                return Some(self.grant(&mut state, bytes, age, owner));
            }
        }
        let (granted, waiting) = oneshot::channel();
        let request = Waiting {
            bytes,
            owner,
            granted,
        };
        self.serve_waiting(|state| drop(state.waiting.insert(age, request)));
        let _abandoned = AbandonedWait { pool: self, age };
        timeout_at(deadline, waiting).await.ok()?.ok()
    }

    /// Returns whether requests wait for memory, or will soon.
    pub fn is_short(&self) -> bool {
        let state = self.lock();
        !state.waiting.is_empty() || state.used > (self.0.capacity - self.0.reserve) / 2
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, state: &State, bytes: usize, age: Age, owner: Owner) -> Verdict {
        let oldest = state.holding.first();
        let is_oldest = oldest.is_none_or(|oldest| age <= *oldest);
        if !is_oldest && self.exceeds_share(state, bytes, owner) {
            return Verdict::ExceedsShare;
        }
        let reserve = if is_oldest { 0 } else { self.0.reserve };
        if state.used + bytes <= self.0.capacity - reserve {
            Verdict::Fits
        } else {
            Verdict::NoRoom
        }
    }

    fn exceeds_share(&self, state: &State, bytes: usize, owner: Owner) -> bool {
        let is_other = |waiting: &Waiting| waiting.owner.principal != owner.principal;
        if self.0.lends && !state.waiting.values().any(is_other) {
            return false;
        }
        let shared = self.0.capacity - self.0.reserve;
        let used_by = |part: u64| state.used_by.get(&part).copied().unwrap_or_default();
        used_by(owner.principal) + bytes > shared / 2
            || used_by(owner.address) + bytes > shared / 8 * 7
    }

    fn grant(&self, state: &mut State, bytes: usize, age: Age, owner: Owner) -> MemoryLease {
        state.used += bytes;
        for part in [owner.principal, owner.address] {
            *state.used_by.entry(part).or_default() += bytes;
        }
        MemoryLease {
            pool: self.clone(),
            bytes,
            age,
            owner,
            is_part: !state.holding.insert(age),
        }
    }

    /// Changes the state, and grants what fits then, the oldest request first.
    fn serve_waiting(&self, change: impl FnOnce(&mut State)) {
        // Dropped when the lock is free, as dropping a lease takes it.
        let mut abandoned = Vec::new();
        let mut state = self.lock();
        change(&mut state);
        let mut served = Age(0);
        while let Some((age, bytes, owner)) = state.next_waiting(served) {
            served = age;
            match self.judge(&state, bytes, age, owner) {
                Verdict::Fits => {
                    let lease = self.grant(&mut state, bytes, age, owner);
                    if let Some(waiting) = state.waiting.remove(&age) {
                        abandoned.extend(waiting.granted.send(lease).err());
                    }
                }
                Verdict::ExceedsShare => {}
                // Younger requests must not take what this one waits for.
                Verdict::NoRoom => break,
            }
        }
        drop(state);
        drop(abandoned);
    }
}

/// Ends a wait that was not served, also when its request is dropped, and serves those
/// that waited behind it.
struct AbandonedWait<'a> {
    pool: &'a MemoryPool,
    age: Age,
}

impl Drop for AbandonedWait<'_> {
    fn drop(&mut self) {
        if self.pool.lock().waiting.contains_key(&self.age) {
            let age = self.age;
            self.pool
                .serve_waiting(|state| drop(state.waiting.remove(&age)));
        }
    }
}

impl State {
    fn give_back(&mut self, bytes: usize, owner: Owner) {
        self.used -= bytes;
        for part in [owner.principal, owner.address] {
            if let Entry::Occupied(mut used) = self.used_by.entry(part) {
                *used.get_mut() -= bytes;
                if *used.get() == 0 {
                    used.remove();
                }
            }
        }
    }

    /// Returns the oldest request that waits and is younger than `served`.
    fn next_waiting(&self, served: Age) -> Option<(Age, usize, Owner)> {
        let younger = (Bound::Excluded(served), Bound::Unbounded);
        let (&age, waiting) = self.waiting.range(younger).next()?;
        Some((age, waiting.bytes, waiting.owner))
    }
}

/// Bytes taken from a [`MemoryPool`], given back on drop.
pub struct MemoryLease {
    pool: MemoryPool,
    bytes: usize,
    age: Age,
    owner: Owner,
    /// True for the part that grew a lease: the request still holds the lease itself.
    is_part: bool,
}

impl MemoryLease {
    /// Grows the lease to `bytes`, if it is smaller. Returns `None` if they do not
    /// become available until `deadline`.
    pub async fn grow_to(&mut self, bytes: usize, deadline: Instant) -> Option<()> {
        if bytes > self.bytes {
            let missing = bytes - self.bytes;
            let part = self.pool.lease(missing, self.age, self.owner, deadline);
            let mut part = part.await?;
            self.bytes += std::mem::take(&mut part.bytes);
        }
        Some(())
    }

    /// Gives back what exceeds `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let excess = self.bytes.saturating_sub(bytes);
        if excess > 0 {
            self.bytes = bytes;
            let owner = self.owner;
            self.pool
                .serve_waiting(|state| state.give_back(excess, owner));
        }
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        if self.is_part && self.bytes == 0 {
            return;
        }
        let (bytes, owner) = (self.bytes, self.owner);
        let age = (!self.is_part).then_some(self.age);
        self.pool.serve_waiting(|state| {
            state.give_back(bytes, owner);
            if let Some(age) = age {
                state.holding.remove(&age);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::yield_now;

    use super::*;

    const HONEST: Owner = owner(1, 2);
    const GREEDY: Owner = owner(3, 4);

    const fn owner(principal: u64, address: u64) -> Owner {
        Owner { principal, address }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    async fn lease(pool: &MemoryPool, bytes: usize, age: u64, owner: Owner) -> Option<MemoryLease> {
        pool.lease(bytes, Age(age), owner, soon()).await
    }

    #[tokio::test]
    async fn owner_gets_no_more_than_its_share() {
        let pool = MemoryPool::new(200, 40, false);
        let oldest = lease(&pool, 10, 1, GREEDY).await.unwrap();
        let held = lease(&pool, 70, 2, GREEDY).await.unwrap();
        assert!(lease(&pool, 10, 3, GREEDY).await.is_none());
        // Seven eighths are for one address, whoever calls from it.
        let neighbor = lease(&pool, 60, 4, owner(5, 4)).await.unwrap();
        assert!(lease(&pool, 10, 5, owner(6, 4)).await.is_none());
        let others = lease(&pool, 20, 6, HONEST).await.unwrap();
        // All but the reserve is taken.
        assert!(lease(&pool, 10, 7, HONEST).await.is_none());
        drop((held, neighbor));
        assert!(lease(&pool, 60, 8, GREEDY).await.is_some());
        drop((oldest, others));
        assert_eq!(pool.lock().used, 0);
        assert!(pool.lock().used_by.is_empty() && pool.lock().holding.is_empty());
    }

    #[tokio::test]
    async fn lending_pool_returns_to_shares_when_another_principal_waits() {
        let pool = MemoryPool::lending(100, 0);
        let _oldest = lease(&pool, 10, 1, GREEDY).await.unwrap();
        let held = lease(&pool, 90, 2, GREEDY).await.unwrap();
        let wait = |bytes, age, owner| {
            let pool = pool.clone();
            let deadline = Instant::now() + Duration::from_secs(5);
            tokio::spawn(async move { pool.lease(bytes, Age(age), owner, deadline).await })
        };
        let greedy = wait(60, 3, GREEDY);
        let honest = wait(40, 4, HONEST);
        yield_now().await;
        drop(held);
        let honest = honest.await.unwrap().unwrap();
        assert!(!greedy.is_finished());
        drop(honest);
        assert!(greedy.await.unwrap().is_some());
    }

    #[tokio::test]
    async fn oldest_request_can_always_grow_into_the_reserve() {
        let pool = MemoryPool::lending(100, 40);
        let mut first = lease(&pool, 10, 1, HONEST).await.unwrap();
        let mut second = lease(&pool, 20, 2, HONEST).await.unwrap();
        let _third = lease(&pool, 30, 3, GREEDY).await.unwrap();
        assert!(second.grow_to(30, soon()).await.is_none());
        first.grow_to(50, soon()).await.unwrap();
        // The next oldest inherits the reserve.
        drop(first);
        second.grow_to(70, soon()).await.unwrap();
        drop(second);
        assert_eq!(pool.lock().used, 30);
    }

    #[tokio::test]
    async fn waiting_requests_are_served_by_age() {
        let pool = MemoryPool::with_shares(100);
        let held = lease(&pool, 100, 1, HONEST).await.unwrap();
        let wait = |bytes, age| {
            let pool = pool.clone();
            let deadline = Instant::now() + Duration::from_secs(5);
            let lease = async move { pool.lease(bytes, Age(age), owner(age, age), deadline).await };
            tokio::spawn(lease)
        };
        let (younger, older) = (wait(50, 30), wait(60, 20));
        yield_now().await;
        // A request that would fit does not overtake those.
        assert!(lease(&pool, 10, 40, GREEDY).await.is_none());
        drop(held);
        let older = older.await.unwrap().unwrap();
        assert!(!younger.is_finished());
        drop(older);
        assert!(younger.await.unwrap().is_some());
        assert_eq!(pool.lock().used, 0);
    }

    #[tokio::test]
    async fn abandoned_waits_hold_nothing() {
        let pool = MemoryPool::with_shares(100);
        let mut held = lease(&pool, 100, 1, HONEST).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        for age in 2..10 {
            let waiting = pool.lease(50, Age(age), GREEDY, deadline);
            assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        }
        assert!(pool.lock().waiting.is_empty());
        held.shrink_to(60);
        // A large request leaves, and a small one behind it does not wait for others.
        let large = pool.lease(50, Age(11), GREEDY, deadline);
        let small = pool.lease(10, Age(12), owner(5, 6), deadline);
        let mut small = std::pin::pin!(small);
        {
            let mut large = std::pin::pin!(large);
            assert!(
                tokio::time::timeout(Duration::ZERO, &mut large)
                    .await
                    .is_err()
            );
            assert!(
                tokio::time::timeout(Duration::ZERO, &mut small)
                    .await
                    .is_err()
            );
        }
        assert!(small.await.is_some());
        assert_eq!(pool.lock().used, 60);
    }
}
