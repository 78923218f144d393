//! Retries of store operations.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use crate::store::StoreError;

/// The backoff between attempts on a store that does not answer: two and a half
/// minutes in all.
pub fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(20)
        .build()
}

/// Waits before the next attempt, if another is worth it.
pub async fn backoff_or_fail(
    error: StoreError,
    backoff: &mut impl Iterator<Item = Duration>,
    stop: &AtomicBool,
) -> Result<(), StoreError> {
    if !error.is_retryable() || stop.load(Ordering::Relaxed) {
        return Err(error);
    }
    match backoff.next() {
        Some(wait) => sleep(wait).await,
        None => return Err(error),
    }
    Ok(())
}
