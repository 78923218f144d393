//! Deletion of legacy rows after their migration.

use std::sync::atomic::AtomicBool;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::retry::{backoff, backoff_or_fail};
use crate::domain::Reading;
use crate::store::{LegacyTable, ReadingStore, StoreError};

/// How many rows are read back and deleted at once.
const AT_ONCE: usize = 16;

/// Deletes those rows whose readings are held as they were put, each after it
/// was read back; tells which are deleted.
///
/// # Errors
/// When the store fails for longer than one backoff.
pub(super) async fn delete_migrated<'a>(
    store: &dyn ReadingStore,
    table: &LegacyTable,
    moved: impl Iterator<Item = (&'a str, &'a Reading)>,
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
                let held = store.get(user_id, reading.id).await?;
                match held {
                    Some(held) if held.measurement == reading.measurement => {
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
    let moved: Vec<_> = moved.map(delete).collect();
    stream::iter(moved).buffered(AT_ONCE).try_collect().await
}
