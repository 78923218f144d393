//! Erasure of all of a user's readings.

use std::time::Duration;

use tokio::time::Instant;

use super::error::StoreError;
use super::reading_store::{Erasure, ReadingStore};
use crate::domain::UserId;

/// Erases the user's records in batches until none is left or `budget` is used up; a
/// later call continues. It also stops early, without an error, on a retryable failure
/// after some records were erased.
///
/// `on_erased` receives the number of records of each batch as soon as they are gone.
///
/// # Errors
/// Other failures of [`ReadingStore::erase_part`].
pub async fn erase_user(
    store: &dyn ReadingStore,
    user_id: &UserId,
    budget: Duration,
    mut on_erased: impl FnMut(u64),
) -> Result<Erasure, StoreError> {
    let deadline = Instant::now() + budget;
    let mut deleted = 0;
    loop {
        let complete = match store.erase_part(user_id).await {
            Ok(part) => {
                on_erased(part.deleted);
                deleted += part.deleted;
                part.complete
            }
            Err(error) if deleted > 0 && error.is_retryable() => {
                tracing::warn!(%error, "erasure stopped early");
                return Ok(Erasure {
                    deleted,
                    complete: false,
                });
            }
            Err(error) => return Err(error),
        };
        if complete || Instant::now() >= deadline {
            return Ok(Erasure { deleted, complete });
        }
    }
}
