//! Deleting items as they were read.

use std::sync::OnceLock;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_sdk_dynamodb::{Client, Config};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::batch_write::{backoff_or_fail, short_backoff};
use crate::store::StoreError;
use crate::store::dynamodb::error::ErrorMapper;
use crate::store::dynamodb::schema::{AttributeMap, DATA_ID, USER_ID};
use crate::store::dynamodb::table_client::TableClient;
use crate::store::dynamodb::write_mark::Unchanged;

/// Maximum number of concurrent calls of an erasure.
const MAX_CONCURRENT_CALLS: usize = 32;

/// Outcome of a conditional deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deletion {
    Deleted,
    /// Nothing with this key is stored.
    Absent,
    /// The item is not as it was read.
    Changed,
}

/// Deletes the item with `key` if `condition` holds. Retries while throttled, until
/// `deadline`.
pub(super) async fn delete_if(
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
