//! Erasing all that is held of a user.

use std::time::Duration;

use tokio::time::Instant;

use super::{ReadingStore, StoreError};
use crate::domain::UserId;

/// What an erasure, or a part of one, has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// How much was erased. Two erasures of one user at the same moment may
    /// both count what either erased.
    pub deleted: u64,
    /// Whether a look afterwards found nothing.
    pub complete: bool,
}

/// Erases what is held of the user, part by part, until nothing is left or
/// `patience` is over; another call then goes on. So it does where the store
/// fails after something was erased, if it may succeed later. `erased` is told
/// after each part how much of it was: whatever becomes of the rest, that is gone.
///
/// # Errors
/// Whatever else the store's [`ReadingStore::erase_part`] answers.
pub async fn erase_user(
    store: &dyn ReadingStore,
    user_id: &UserId,
    patience: Duration,
    mut erased: impl FnMut(u64),
) -> Result<Erasure, StoreError> {
    let deadline = Instant::now() + patience;
    let mut deleted = 0;
    loop {
        let complete = match store.erase_part(user_id).await {
            Ok(part) => {
                erased(part.deleted);
                deleted += part.deleted;
                part.complete
            }
            Err(error) if deleted > 0 && error.is_retryable() => {
                tracing::warn!(%error, "an erasure stopped midway");
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
