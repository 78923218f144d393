//! Retries of store operations.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::sleep;

use crate::store::StoreError;

/// Returns the delays between attempts: two and a half minutes in total.
pub fn backoff() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(20)
        .build()
}

/// Waits before the next attempt.
///
/// # Errors
/// `error` itself, if it is permanent, `stop` is set, or no delay is left.
pub async fn backoff_or_fail(
    error: StoreError,
    backoff: &mut impl Iterator<Item = Duration>,
    stop: &AtomicBool,
) -> Result<(), StoreError> {
    if !error.is_retryable() || stop.load(Ordering::Relaxed) {
        return Err(error);
    }
    match backoff.next() {
        Some(delay) => sleep(delay).await,
        None => return Err(error),
    }
    Ok(())
}
