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
/// `patience` is over; another call then goes on.
///
/// # Errors
/// Whatever the store's [`ReadingStore::erase_part`] answers.
pub async fn erase(
    store: &dyn ReadingStore,
    user_id: &UserId,
    patience: Duration,
) -> Result<Erasure, StoreError> {
    let deadline = Instant::now() + patience;
    let mut deleted = 0;
    loop {
        let part = store.erase_part(user_id).await?;
        deleted += part.deleted;
        if part.complete || Instant::now() >= deadline {
            return Ok(Erasure {
                deleted,
                complete: part.complete,
            });
        }
    }
}
