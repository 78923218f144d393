//! How often a principal may ask, and an address may fail to say who it is.
//!
//! Each limit is a token bucket that holds a minute's worth and fills evenly
//! (the generic cell rate algorithm). It is one task's: several tasks allow as
//! many times as much.

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

/// The most limiters of one limit: beyond them the one that was used longest ago
/// is forgotten, which lets its key begin anew.
const MAX_KEYS: u64 = 10_000;

/// After this time without use a bucket is full, and as good as none.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// What a request costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateLimitBucket {
    /// It reads.
    Read,
    /// It writes or deletes; a batch is one.
    Write,
    /// It asks a question.
    Insight,
}

/// How many requests a minute; `None` is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestsPerMinute {
    /// Reads of one principal.
    pub reads: Option<NonZeroU32>,
    /// Writes and deletions of one principal.
    pub writes: Option<NonZeroU32>,
    /// Questions of one principal.
    pub insights: Option<NonZeroU32>,
    /// Requests of one client address without a valid credential.
    pub failed_authentications: Option<NonZeroU32>,
}

/// Every limit.
pub struct RateLimits {
    reads: Option<KeyedLimiter<PrincipalId>>,
    writes: Option<KeyedLimiter<PrincipalId>>,
    insights: Option<KeyedLimiter<PrincipalId>>,
    failed_authentications: Option<KeyedLimiter<IpAddr>>,
}

impl RateLimits {
    /// Limits of so many requests.
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

    /// Takes a request of this principal.
    ///
    /// # Errors
    /// When it has asked too often.
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

    /// Takes a request without a valid credential from this address.
    ///
    /// Valid ones are never refused for the failures of others behind the same
    /// address: keys of 160 random bits are not guessed, and one bad client must
    /// not lock out a whole network.
    ///
    /// # Errors
    /// When it has failed too often.
    pub fn check_failed_authentication(&self, client: IpAddr) -> Result<(), RateLimited> {
        let limiters = self.failed_authentications.as_ref();
        limiters.map_or(Ok(()), |limiters| limiters.check(&network(client)))
    }
}

/// Where whoever is at an IPv6 address can check others from: a network of 64
/// bits is the smallest that is given out.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The limiters of one limit.
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
                // Another policy would not let a new key in beside busy ones.
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
    fn however_many_come_memory_is_bounded_and_each_has_its_own_bucket() {
        let limiters = KeyedLimiter::new("reads", NonZeroU32::MIN);
        for key in 0..3 * MAX_KEYS {
            assert!(limiters.check(&key).is_ok());
            assert!(limiters.check(&key).is_err());
        }
        limiters.limiters.run_pending_tasks();
        assert!(limiters.limiters.entry_count() <= MAX_KEYS);
    }

    #[test]
    fn an_address_counts_with_its_network() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.1"), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
