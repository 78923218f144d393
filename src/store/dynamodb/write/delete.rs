//! Deleting a reading, and erasing a user's partition.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::Instant;

use super::conditional_delete::{Deletion, delete_if, delete_unchanged};
use super::late_writes::LateWrites;
use crate::domain::{ReadingId, UserId};
use crate::store::dynamodb::error::ErrorMapper;
use crate::store::dynamodb::schema::{AttributeMap, CREATED_AT, DATA_ID, MARK, USER_ID};
use crate::store::dynamodb::table_client::{TableClient, key};
use crate::store::dynamodb::write_mark::{Unchanged, WriteMark};
use crate::store::{Erasure, StoreError};

/// Number of items that one part of an erasure deletes, each with a call of its own.
const PAGE_SIZE: i32 = 500;

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
