use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::{Client, Config};
use tokio::time::Instant;

use super::batch_write::{few_waits, wait_after};
use super::error::Faults;
use super::item::{DATA_ID, Item};
use crate::store::StoreError;

/// Deletes the item under `key`, and tells whether there was one. Until `deadline`
/// it is tried again while DynamoDB takes no more.
pub(super) async fn delete(
    client: &Client,
    table: &str,
    faults: &Faults,
    key: Item,
    deadline: Instant,
) -> Result<bool, StoreError> {
    let mut waits = few_waits();
    loop {
        let answer = client
            .delete_item()
            .table_name(table)
            .set_key(Some(key.clone()))
            .condition_expression(format!("attribute_exists({DATA_ID})"))
            .customize()
            // A repetition would find nothing where the first attempt deleted
            // and only its answer was lost. What was throttled was not done.
            .config_override(Config::builder().retry_config(RetryConfig::disabled()))
            .send()
            .await;
        match answer {
            Ok(_) => return Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                return Ok(false);
            }
            Err(error) => {
                let error = faults.classify("DeleteItem", error);
                wait_after(error, &mut waits, deadline).await?;
            }
        }
    }
}
