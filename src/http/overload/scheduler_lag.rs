use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Time between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(5);

/// Lag that counts as overload: any request waits this long for a core, several
/// times.
const LAG_THRESHOLD: Duration = Duration::from_millis(20);

/// Time that the lag must persist. Bursts pass sooner, and so does the pause of a
/// process that has used up its CPU quota, which takes less than a tenth of a
/// second.
const SUSTAINED_FOR: Duration = Duration::from_millis(250);

/// Scheduler lag: how long runnable tasks wait for a core.
///
/// A limit on concurrency does not show this queue. As in `CoDel` (Nichols and
/// Jacobson, "Controlling Queue Delay", ACM Queue 10 (5), 2012), the time spent
/// in the queue counts, not its length, and only a standing queue is overload.
#[derive(Clone, Default)]
pub struct SchedulerLag(Arc<AtomicBool>);

impl SchedulerLag {
    /// Samples the lag, forever. Must run in a task of its own, as it measures
    /// how long a task waits.
    pub async fn monitor(self) -> Infallible {
        let mut on_time = Instant::now();
        loop {
            let due = Instant::now() + SAMPLE_INTERVAL;
            sleep(SAMPLE_INTERVAL).await;
            if due.elapsed() <= LAG_THRESHOLD {
                on_time = Instant::now();
            }
            self.0
                .store(on_time.elapsed() > SUSTAINED_FOR, Ordering::Relaxed);
        }
    }

    /// Returns whether requests should be shed.
    pub fn is_overloaded(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sustained_lag_sheds_and_recovers() {
        let lag = SchedulerLag::default();
        let monitor = tokio::spawn(lag.clone().monitor());
        sleep(SAMPLE_INTERVAL * 4).await;
        // A single pause is not sustained lag.
        std::thread::sleep(LAG_THRESHOLD * 5);
        tokio::task::yield_now().await;
        assert!(!lag.is_overloaded());
        while !lag.is_overloaded() {
            std::thread::sleep(LAG_THRESHOLD * 2);
            tokio::task::yield_now().await;
        }
        while lag.is_overloaded() {
            sleep(SAMPLE_INTERVAL).await;
        }
        monitor.abort();
    }
}
