//! Deleting a reading, and erasing a user's partition.

use std::sync::OnceLock;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::batch_write::{self, backoff_or_fail, short_backoff};
use crate::domain::UserId;
use crate::store::dynamodb::error::ErrorMapper;
use crate::store::dynamodb::schema::{AttributeMap, DATA_ID, USER_ID};
use crate::store::dynamodb::table_client::TableClient;
use crate::store::{Erasure, StoreError};

/// Number of items that one part of an erasure deletes, in up to 20 calls.
const PAGE_SIZE: i32 = 500;

/// Maximum number of concurrent calls.
const MAX_CONCURRENT_CALLS: usize = 8;

/// Deletes the item with `key`, and returns `true` if it existed. Retries while
/// throttled, until `deadline`.
pub(in crate::store::dynamodb) async fn delete(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
    key: AttributeMap,
    deadline: Instant,
) -> Result<bool, StoreError> {
    let mut backoff = short_backoff();
    loop {
        let response = client
            .delete_item()
            .table_name(table)
            .set_key(Some(key.clone()))
            .condition_expression(format!("attribute_exists({DATA_ID})"))
            .customize()
            // A retry would not find the item if the first attempt deleted it and only
            // the response was lost. A throttled attempt deleted nothing.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match response {
            Ok(_) => return Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                return Ok(false);
            }
            Err(error) => {
                let error = errors.classify("DeleteItem", error);
                backoff_or_fail(error, &mut backoff, deadline).await?;
            }
        }
    }
}

/// Deletes the first items of the user's partition, including those that other programs
/// wrote.
///
/// If it fails after some items were deleted, it returns their number. The next call
/// meets the failure.
pub(in crate::store::dynamodb) async fn erase_part(
    table: &TableClient,
    user_id: &UserId,
) -> Result<Erasure, StoreError> {
    let found = table
        .client
        .query()
        .table_name(&table.table)
        .key_condition_expression(format!("{USER_ID} = :user"))
        .expression_attribute_values(":user", AttributeValue::S(user_id.as_str().to_owned()))
        .projection_expression(format!("{USER_ID}, {DATA_ID}"))
        .consistent_read(true)
        .limit(PAGE_SIZE)
        .send()
        .await
        .map_err(|error| table.errors.classify("Query", error))?;
    let keys = found.items.unwrap_or_default();
    let deadline = Instant::now() + table.batch_timeout;
    let calls = keys
        .chunks(batch_write::MAX_REQUESTS)
        .map(|some| some.iter().cloned().map(batch_write::delete).collect())
        .collect::<Result<Vec<Vec<_>>, _>>()?;
    let failure = OnceLock::new();
    let delete = async |requests: Vec<_>| {
        // The remaining calls would fail too.
        if failure.get().is_some() {
            return 0;
        }
        let TableClient {
            client,
            table,
            errors,
            ..
        } = table;
        let count = requests.len();
        match batch_write::send(client, table, errors, requests, deadline).await {
            Ok(()) => count,
            Err(partial) => {
                let _ = failure.set(partial.error);
                count - partial.requests.len()
            }
        }
    };
    let deleted = stream::iter(calls)
        .map(delete)
        .buffer_unordered(MAX_CONCURRENT_CALLS)
        .fold(0, async |sum, deleted| sum + deleted)
        .await;
    match failure.into_inner() {
        Some(error) if deleted == 0 => Err(error),
        _ => Ok(Erasure {
            deleted: deleted as u64,
            complete: keys.is_empty(),
        }),
    }
}
