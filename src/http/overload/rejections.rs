use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::sleep;

use super::cores::counted_cores;

/// Rejections per core and second that are sent at once.
const PROMPT_PER_CORE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Rejections per core and second at which the others are sent, while their delay is
/// between the shortest and the longest.
const DELAYED_PER_CORE: u32 = 500;

/// Shortest delay of those.
const MIN_DELAY: Duration = Duration::from_secs(1);

/// Longest delay, below the timeouts of common HTTP clients.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// Maximum number of rejections that are delayed at a time. They occupy connections, of
/// which by default 4,500 may be open.
const MAX_DELAYED: u32 = 4_000;

/// Pace of rejections.
///
/// A client that repeats at once after each rejection costs the service about a third
/// of a served request each time; a thousand of them leave nothing for the others. So
/// rejections beyond a rate are delayed, the longer the more of them wait. Until then the
/// connection is not read, and the client cannot send its next request.
pub struct RejectionPace {
    prompt: DefaultDirectRateLimiter,
    delayed_per_second: u32,
    waiting: AtomicU32,
}

impl RejectionPace {
    /// Creates the pace for the cores of this machine.
    pub fn for_cores() -> Self {
        let cores = u32::try_from(counted_cores()).unwrap_or(1);
        let prompt = PROMPT_PER_CORE.saturating_mul(NonZeroU32::MIN.saturating_add(cores - 1));
        Self {
            prompt: RateLimiter::direct(Quota::per_second(prompt)),
            delayed_per_second: DELAYED_PER_CORE * cores,
            waiting: AtomicU32::new(0),
        }
    }

    /// Waits until a rejection may be sent.
    pub async fn wait(&self) {
        if self.prompt.check().is_ok() {
            return;
        }
        let waiting = Waiting::enter(&self.waiting);
        if waiting.ahead >= MAX_DELAYED {
            return;
        }
        let delay = Duration::from_secs(1) * waiting.ahead / self.delayed_per_second;
        sleep(delay.clamp(MIN_DELAY, MAX_DELAY)).await;
    }
}

/// Rejection that waits, until it is dropped.
struct Waiting<'a> {
    count: &'a AtomicU32,
    ahead: u32,
}

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicU32) -> Self {
        let ahead = count.fetch_add(1, Ordering::Relaxed);
        Self { count, ahead }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::{Instant, pause};

    use super::*;

    #[tokio::test]
    async fn few_rejections_are_prompt_and_the_more_the_slower() {
        pause();
        let pace = RejectionPace {
            prompt: RateLimiter::direct(Quota::per_second(PROMPT_PER_CORE)),
            delayed_per_second: 100,
            waiting: AtomicU32::new(0),
        };
        let start = Instant::now();
        for _ in 0..PROMPT_PER_CORE.get() {
            pace.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        // Some of them are prompt again, as that rate is measured by the real clock.
        for (count, slowest) in [(100, MIN_DELAY), (1_000, MAX_DELAY)] {
            let start = Instant::now();
            join_all((0..count).map(|_| pace.wait())).await;
            let elapsed = start.elapsed();
            assert!(
                elapsed >= slowest && elapsed < slowest + MIN_DELAY / 2,
                "{elapsed:?}"
            );
        }
        assert_eq!(pace.waiting.load(Ordering::Relaxed), 0);
    }
}
