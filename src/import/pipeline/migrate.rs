//! Deletion of legacy rows whose readings are stored.

use std::sync::atomic::AtomicBool;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::retry::{backoff, backoff_or_fail};
use crate::domain::Reading;
use crate::store::{LegacyTable, ReadingStore, StoreError};

/// Number of rows that are verified and deleted concurrently.
const CONCURRENCY: usize = 16;

/// Deletes each of the `migrated` rows, named `user_id/data_id`, whose reading
/// is read back from the store unchanged. Returns which rows it deleted.
///
/// # Errors
/// The store fails for longer than [`backoff`], or permanently.
pub(super) async fn delete_migrated<'a>(
    store: &dyn ReadingStore,
    table: &LegacyTable,
    migrated: impl Iterator<Item = (&'a str, &'a Reading)>,
    stop: &AtomicBool,
) -> Result<Vec<bool>, StoreError> {
    let delete = |(name, reading): (&'a str, &'a Reading)| async move {
        let user_id = &reading.measurement.user_id;
        let data_id = name.strip_prefix(user_id.as_str());
        let Some(data_id) = data_id.and_then(|rest| rest.strip_prefix('/')) else {
            return Ok(false);
        };
        let mut backoff = backoff();
        loop {
            let attempt = async {
                let stored = store.get(user_id, reading.id).await?;
                match stored {
                    Some(stored) if stored.measurement == reading.measurement => {
                        table.delete(user_id.as_str(), data_id).await
                    }
                    _ => Ok(false),
                }
            };
            match attempt.await {
                Ok(deleted) => return Ok(deleted),
                Err(error) => backoff_or_fail(error, &mut backoff, stop).await?,
            }
        }
    };
    let deletions: Vec<_> = migrated.map(delete).collect();
    stream::iter(deletions)
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}
