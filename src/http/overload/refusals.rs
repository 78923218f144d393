use std::num::NonZeroU32;
use std::thread::available_parallelism;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::sleep;

/// Refusals per core and second that are sent at once.
const PROMPT_PER_CORE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Delay of the others.
const DELAY: Duration = Duration::from_secs(1);

/// Pace of refusals.
///
/// A client that repeats at once after each refusal costs the service about a third
/// of a served request each time; a thousand of them leave nothing for the others. So
/// refusals beyond a rate are delayed. Until then the connection is not read, and the
/// client can't send its next request.
pub struct RefusalPace(DefaultDirectRateLimiter);

impl RefusalPace {
    /// Creates the pace for the cores of this machine.
    pub fn for_cores() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get().min(16));
        let cores = u32::try_from(cores).unwrap_or(1);
        let prompt =
            PROMPT_PER_CORE.saturating_mul(NonZeroU32::new(cores).unwrap_or(NonZeroU32::MIN));
        Self(RateLimiter::direct(Quota::per_second(prompt)))
    }

    /// Waits until a refusal may be sent.
    pub async fn wait(&self) {
        if self.0.check().is_err() {
            sleep(DELAY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, pause};

    use super::*;

    #[tokio::test]
    async fn few_refusals_are_prompt_and_many_are_slow() {
        pause();
        let pace = RefusalPace::for_cores();
        let start = Instant::now();
        for _ in 0..PROMPT_PER_CORE.get() {
            pace.wait().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..16 * PROMPT_PER_CORE.get() {
            pace.wait().await;
        }
        assert!(start.elapsed() >= DELAY);
    }
}
