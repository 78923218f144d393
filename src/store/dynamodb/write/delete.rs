//! Deleting a reading, and erasing a user's partition.

use std::sync::OnceLock;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_dynamodb::{Client, Config};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::batch_write::{backoff_or_fail, short_backoff};
use super::late_writes::LateWrites;
use crate::domain::{ReadingId, UserId};
use crate::store::dynamodb::error::ErrorMapper;
use crate::store::dynamodb::schema::{AttributeMap, CREATED_AT, DATA_ID, MARK, USER_ID};
use crate::store::dynamodb::table_client::{TableClient, key};
use crate::store::dynamodb::write_mark::{Unchanged, WriteMark};
use crate::store::{Erasure, StoreError};

/// Number of items that one part of an erasure deletes, each with a call of its own.
const PAGE_SIZE: i32 = 500;

/// Maximum number of concurrent calls of an erasure.
const MAX_CONCURRENT_CALLS: usize = 32;

/// Outcome of a conditional deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deletion {
    Deleted,
    /// Nothing with this key is stored.
    Absent,
    /// The item is not as it was read.
    Changed,
}

/// Deletes the item with `key`, and returns `true` if it existed. Retries while
/// throttled, until `deadline`.
pub(in crate::store::dynamodb) async fn delete_item(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
    key: AttributeMap,
    deadline: Instant,
) -> Result<bool, StoreError> {
    let exists = Unchanged {
        expression: format!("attribute_exists({DATA_ID})"),
        value: None,
    };
    let deletion = delete_if(client, table, errors, key, exists, deadline).await?;
    Ok(deletion == Deletion::Deleted)
}

/// Deletes a reading, and returns `true` if it existed.
///
/// It is read first, and only what was read is deleted: an attempt that arrives late
/// does not delete a reading that was put again.
pub(in crate::store::dynamodb) async fn delete(
    table: &TableClient,
    late_writes: &LateWrites,
    user_id: &UserId,
    id: ReadingId,
) -> Result<bool, StoreError> {
    let deadline = Instant::now() + table.operation_timeout;
    let started = WriteMark::new();
    loop {
        let Some(item) = table.get_item(user_id, id).await? else {
            return Ok(false);
        };
        // Also after an error, as the reading may be deleted all the same.
        late_writes.watch(table, user_id, Some(id), started);
        let TableClient {
            client,
            table,
            errors,
            ..
        } = table;
        let unchanged = Unchanged::since(&item);
        let key = key(user_id, id);
        match delete_if(client, table, errors, key, unchanged, deadline).await? {
            Deletion::Deleted => return Ok(true),
            Deletion::Absent => return Ok(false),
            Deletion::Changed if Instant::now() < deadline => {}
            Deletion::Changed => {
                return Err(StoreError::unavailable(
                    "the reading was replaced concurrently",
                ));
            }
        }
    }
}

/// Deletes the item with `key` if `condition` holds. Retries while throttled, until
/// `deadline`.
async fn delete_if(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
    key: AttributeMap,
    condition: Unchanged,
    deadline: Instant,
) -> Result<Deletion, StoreError> {
    let mut backoff = short_backoff();
    loop {
        let mut request = client
            .delete_item()
            .table_name(table)
            .set_key(Some(key.clone()))
            .condition_expression(&condition.expression)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some((name, value)) = &condition.value {
            request = request.expression_attribute_values(*name, value.clone());
        }
        let response = request
            .customize()
            // A retry would not find the item if the first attempt deleted it and only
            // the response was lost. A throttled attempt deleted nothing.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        let Err(error) = response else {
            return Ok(Deletion::Deleted);
        };
        if let Some(DeleteItemError::ConditionalCheckFailedException(failed)) =
            error.as_service_error()
        {
            return Ok(match failed.item {
                Some(_) => Deletion::Changed,
                None => Deletion::Absent,
            });
        }
        let error = errors.classify("DeleteItem", error);
        backoff_or_fail(error, &mut backoff, deadline).await?;
    }
}

/// Deletes the first items of the user's partition, including those that other programs
/// wrote, as far as they are as they were read.
///
/// If it fails after some items were deleted, it returns their number. The next call
/// meets the failure.
pub(in crate::store::dynamodb) async fn erase_part(
    table: &TableClient,
    late_writes: &LateWrites,
    user_id: &UserId,
) -> Result<Erasure, StoreError> {
    let started = WriteMark::new();
    let found = table
        .client
        .query()
        .table_name(&table.table)
        .key_condition_expression(format!("{USER_ID} = :user"))
        .expression_attribute_values(":user", AttributeValue::S(user_id.as_str().to_owned()))
        .projection_expression(format!("{USER_ID}, {DATA_ID}, {MARK}, {CREATED_AT}"))
        .consistent_read(true)
        .limit(PAGE_SIZE)
        .send()
        .await
        .map_err(|error| table.errors.classify("Query", error))?;
    let items = found.items.unwrap_or_default();
    let complete = items.is_empty();
    if complete {
        late_writes.watch(table, user_id, None, started);
    }
    let deleted = delete_unchanged(table, items).await?;
    Ok(Erasure { deleted, complete })
}

/// Deletes `items`, as far as they are as they were read, and returns the number of
/// those that are gone. They need their key, mark and `created_at` only.
///
/// # Errors
/// If an item cannot be deleted, and none was.
pub(super) async fn delete_unchanged(
    table: &TableClient,
    items: Vec<AttributeMap>,
) -> Result<u64, StoreError> {
    let deadline = Instant::now() + table.batch_timeout;
    let failure = OnceLock::new();
    let delete = async |mut item: AttributeMap| {
        // The remaining calls would fail too.
        if failure.get().is_some() {
            return 0;
        }
        let unchanged = Unchanged::since(&item);
        item.retain(|name, _| name == USER_ID || name == DATA_ID);
        let TableClient {
            client,
            table,
            errors,
            ..
        } = table;
        match delete_if(client, table, errors, item, unchanged, deadline).await {
            // An absent one was deleted by an attempt whose response was lost, or by
            // another erasure.
            Ok(Deletion::Deleted | Deletion::Absent) => 1,
            Ok(Deletion::Changed) => 0,
            Err(error) => {
                let _ = failure.set(error);
                0
            }
        }
    };
    let deleted = stream::iter(items)
        .map(delete)
        .buffer_unordered(MAX_CONCURRENT_CALLS)
        .fold(0, async |sum, deleted| sum + deleted)
        .await;
    match failure.into_inner() {
        Some(error) if deleted == 0 => Err(error),
        _ => Ok(deleted),
    }
}
