use std::collections::hash_map::{Entry, RandomState};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher as _, Hash};
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// Order in which requests arrived: an older one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub(super) u64);

/// Who takes memory, as hashes of the principal and of the client address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    principal: u64,
    address: u64,
}

impl Owner {
    /// Creates an owner.
    pub fn new(principal: impl Hash, address: impl Hash) -> Self {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self {
            principal: HASHER.hash_one((0, principal)),
            address: HASHER.hash_one((1, address)),
        }
    }
}

/// Budget of memory in bytes, shared by the requests of some route classes.
///
/// Requests that wait for memory are served by age. A principal takes at most half, and
/// a client address, which many principals may share, at most seven eighths, so that
/// none keeps the others out. The oldest request may also use a reserve that nobody
/// else touches: whatever the others hold, it can finish, and then the next.
#[derive(Clone)]
pub struct MemoryPool(Arc<Pool>);

struct Pool {
    capacity: usize,
    /// Bytes for the oldest request alone.
    reserve: usize,
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

struct Waiting {
    bytes: usize,
    owner: Owner,
    granted: oneshot::Sender<MemoryLease>,
}

impl MemoryPool {
    /// Creates a pool of `capacity` bytes, of which `reserve` are for the oldest
    /// request.
    pub fn new(capacity: usize, reserve: usize) -> Self {
        Self(Arc::new(Pool {
            capacity,
            reserve,
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
            if state.waiting.is_empty() && self.fits(&state, bytes, age, owner) {
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
        let leased = timeout_at(deadline, waiting).await;
        if leased.is_err() {
            self.serve_waiting(|state| drop(state.waiting.remove(&age)));
        }
        leased.ok()?.ok()
    }

    /// Returns whether requests wait for memory, or will soon.
    pub fn is_short(&self) -> bool {
        let state = self.lock();
        !state.waiting.is_empty() || state.used > (self.0.capacity - self.0.reserve) / 2
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, state: &State, bytes: usize, age: Age, owner: Owner) -> bool {
        let oldest = state.holding.first();
        if oldest.is_none_or(|oldest| age <= *oldest) {
            return state.used + bytes <= self.0.capacity;
        }
        let shared = self.0.capacity - self.0.reserve;
        let used_by = |part: u64| state.used_by.get(&part).copied().unwrap_or_default();
        state.used + bytes <= shared
            && used_by(owner.principal) + bytes <= shared / 2
            && used_by(owner.address) + bytes <= shared / 8 * 7
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
            if self.fits(&state, bytes, age, owner) {
                let lease = self.grant(&mut state, bytes, age, owner);
                if let Some(waiting) = state.waiting.remove(&age) {
                    abandoned.extend(waiting.granted.send(lease).err());
                }
            } else if state.used + bytes > self.0.capacity - self.0.reserve {
                // Younger requests must not take what this one waits for.
                break;
            }
        }
        drop(state);
        drop(abandoned);
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

    /// Returns the oldest request that waits and is younger than `served`. Forgets
    /// those whose clients have gone.
    fn next_waiting(&mut self, served: Age) -> Option<(Age, usize, Owner)> {
        loop {
            let younger = (Bound::Excluded(served), Bound::Unbounded);
            let (&age, waiting) = self.waiting.range(younger).next()?;
            if !waiting.granted.is_closed() {
                return Some((age, waiting.bytes, waiting.owner));
            }
            self.waiting.remove(&age);
        }
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
    /// Returns the number of bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

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
        let pool = MemoryPool::new(200, 40);
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
    async fn oldest_request_can_always_grow_into_the_reserve() {
        let pool = MemoryPool::new(100, 40);
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
        let pool = MemoryPool::new(100, 0);
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
        let pool = MemoryPool::new(100, 0);
        let mut held = lease(&pool, 100, 1, HONEST).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(5);
        for age in 2..10 {
            let waiting = pool.lease(50, Age(age), GREEDY, deadline);
            assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        }
        held.shrink_to(10);
        assert_eq!(pool.lock().used, 10);
        assert!(lease(&pool, 40, 11, HONEST).await.is_some());
    }
}
