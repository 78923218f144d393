//! Rate limits per principal, and per client address for failed authentications.
//!
//! Each limit is a token bucket with a burst of a minute's quota (generic cell
//! rate algorithm). Limits apply per task, so N tasks allow N times as much.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::auth::PrincipalId;
use crate::http::problem::RateLimited;

/// Maximum number of limiters per limit, which bounds their memory. Beyond it the
/// least recently used one is evicted and its key starts with a full quota.
const MAX_KEYS: u64 = 10_000;

/// Time without requests after which a limiter is evicted: its quota is full
/// again after a minute.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// Rate limit that a request counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitBucket {
    /// Reading of any kind.
    Read,
    /// Writing or deleting; a batch counts as one request.
    Write,
    /// Questions.
    Insight,
}

/// Allowed requests per minute; `None` means unlimited.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestsPerMinute {
    /// Reads per principal.
    pub reads: Option<NonZeroU32>,
    /// Writes and deletions per principal.
    pub writes: Option<NonZeroU32>,
    /// Questions per principal.
    pub insights: Option<NonZeroU32>,
    /// Requests without a valid credential per client address.
    pub failed_authentications: Option<NonZeroU32>,
}

/// All rate limits.
pub struct RateLimits {
    reads: Option<KeyedLimiter<PrincipalId>>,
    writes: Option<KeyedLimiter<PrincipalId>>,
    insights: Option<KeyedLimiter<PrincipalId>>,
    failed_authentications: Option<KeyedLimiter<IpAddr>>,
}

impl RateLimits {
    /// Creates the limits.
    pub fn new(per_minute: RequestsPerMinute) -> Self {
        let RequestsPerMinute {
            reads,
            writes,
            insights,
            failed_authentications,
        } = per_minute;
        Self {
            reads: reads.map(|limit| KeyedLimiter::new("reads", limit)),
            writes: writes.map(|limit| KeyedLimiter::new("writes", limit)),
            insights: insights.map(|limit| KeyedLimiter::new("insights", limit)),
            failed_authentications: failed_authentications
                .map(|limit| KeyedLimiter::new("failed-authentications", limit)),
        }
    }

    /// Counts a request of this principal.
    ///
    /// # Errors
    /// Fails if the limit is exceeded.
    pub fn check(
        &self,
        principal: &PrincipalId,
        class: RateLimitBucket,
    ) -> Result<(), RateLimited> {
        match class {
            RateLimitBucket::Read => &self.reads,
            RateLimitBucket::Write => &self.writes,
            RateLimitBucket::Insight => &self.insights,
        }
        .as_ref()
        .map_or(Ok(()), |limiters| limiters.check(principal))
    }

    /// Counts a failed authentication from this address.
    ///
    /// Valid credentials are never rejected because of failures from the same
    /// address: guessing a key of 160 random bits is hopeless, and one bad client
    /// must not lock out its network.
    ///
    /// # Errors
    /// Fails if the limit is exceeded.
    pub fn check_failed_authentication(&self, client: IpAddr) -> Result<(), RateLimited> {
        let limiters = self.failed_authentications.as_ref();
        limiters.map_or(Ok(()), |limiters| limiters.check(&network(client)))
    }
}

/// Returns the network that counts as one client: an IPv6 host can use any
/// address of its /64.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// Limiters of one limit, by key.
struct KeyedLimiter<K> {
    name: &'static str,
    per_minute: NonZeroU32,
    limiters: Cache<K, Arc<DefaultDirectRateLimiter>>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone + Send + Sync + 'static> KeyedLimiter<K> {
    fn new(name: &'static str, per_minute: NonZeroU32) -> Self {
        Self {
            name,
            per_minute,
            limiters: Cache::builder()
                .max_capacity(MAX_KEYS)
                // The default policy (TinyLFU) may reject new keys in favour of
                // frequent ones.
                .eviction_policy(EvictionPolicy::lru())
                .time_to_idle(IDLE_TIMEOUT)
                .build(),
            clock: DefaultClock::default(),
        }
    }

    fn check(&self, key: &K) -> Result<(), RateLimited> {
        let quota = Quota::per_minute(self.per_minute);
        let bucket = self
            .limiters
            .get_with_by_ref(key, || Arc::new(RateLimiter::direct(quota)));
        bucket.check().map_err(|not_yet| {
            let wait = not_yet.wait_time_from(self.clock.now());
            RateLimited {
                name: self.name,
                per_minute: self.per_minute,
                seconds: wait.as_secs() + 1,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_each_key_has_its_own_quota() {
        let limiters = KeyedLimiter::new("reads", NonZeroU32::MIN);
        for key in 0..3 * MAX_KEYS {
            assert!(limiters.check(&key).is_ok());
            assert!(limiters.check(&key).is_err());
        }
        limiters.limiters.run_pending_tasks();
        assert!(limiters.limiters.entry_count() <= MAX_KEYS);
    }

    #[test]
    fn ipv6_address_counts_with_its_network() {
        let network_of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network_of("192.0.2.1"), "192.0.2.1");
        assert_eq!(network_of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(network_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
