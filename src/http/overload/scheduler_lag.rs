use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often it is looked how late tasks run.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(5);

/// How late a task may run before more work is refused: what waits for a core
/// waits as long.
const LAG_THRESHOLD: Duration = Duration::from_millis(20);

/// How long it must have been so: a burst passes by itself, and so does the pause
/// of a process that has used up its share of a core, within a tenth of a second.
const SUSTAINED_FOR: Duration = Duration::from_millis(250);

/// How late tasks run that are ready to: the queue in front of the cores, which no
/// count of requests shows. After Nichols and Jacobson, "Controlling Queue Delay",
/// ACM Queue 10 (5), 2012: what matters of a queue is how long one waits in it, and
/// only a queue that stands is too much.
#[derive(Clone, Default)]
pub struct SchedulerLag(Arc<AtomicBool>);

impl SchedulerLag {
    /// Measures, as long as it is polled: in a task of its own, which waits like
    /// any other.
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

    /// Whether no more work is to be taken on.
    pub fn is_overloaded(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cores_that_stay_behind_are_seen_and_that_they_no_longer_are() {
        let lateness = SchedulerLag::default();
        let measuring = tokio::spawn(lateness.clone().monitor());
        sleep(SAMPLE_INTERVAL * 4).await;
        // A pause is nothing.
        std::thread::sleep(LAG_THRESHOLD * 5);
        tokio::task::yield_now().await;
        assert!(!lateness.is_overloaded());
        while !lateness.is_overloaded() {
            std::thread::sleep(LAG_THRESHOLD * 2);
            tokio::task::yield_now().await;
        }
        while lateness.is_overloaded() {
            sleep(SAMPLE_INTERVAL).await;
        }
        measuring.abort();
    }
}
