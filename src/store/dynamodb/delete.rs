use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::{Client, Config};

use super::error::Faults;
use super::item::{DATA_ID, Item};
use crate::store::StoreError;

/// Deletes the item under `key`, and tells whether there was one.
pub(super) async fn delete(
    client: &Client,
    table: &str,
    faults: &Faults,
    key: Item,
) -> Result<bool, StoreError> {
    let answer = client
        .delete_item()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression(format!("attribute_exists({DATA_ID})"))
        .customize()
        // A repetition would find nothing where the first attempt deleted
        // and only its answer was lost.
        .config_override(Config::builder().retry_config(RetryConfig::disabled()))
        .send()
        .await;
    match answer {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
        {
            Ok(false)
        }
        Err(error) => Err(faults.classify("DeleteItem", error)),
    }
}
