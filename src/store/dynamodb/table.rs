use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
};
use tokio::time::{Instant, sleep};

use super::error::Faults;
use super::item::{DATA_ID, USER_ID};
use crate::store::StoreError;

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn create_if_missing(
    client: &Client,
    table: &str,
    faults: &Faults,
) -> Result<(), StoreError> {
    if status(client, table, faults).await?.is_none() {
        create(client, table, faults).await?;
    }
    let deadline = Instant::now() + PATIENCE;
    while status(client, table, faults).await? != Some(TableStatus::Active) {
        if Instant::now() > deadline {
            return Err(StoreError::unavailable("the table is not active yet"));
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn create(client: &Client, table: &str, faults: &Faults) -> Result<(), StoreError> {
    let mut request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest);
    for (name, role) in [(USER_ID, KeyType::Hash), (DATA_ID, KeyType::Range)] {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build();
        let element = KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(role)
            .build();
        request = request
            .attribute_definitions(attribute.map_err(StoreError::unavailable)?)
            .key_schema(element.map_err(StoreError::unavailable)?);
    }
    match request.send().await {
        Ok(_) => Ok(()),
        // Another process was quicker.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_in_use_exception()) =>
        {
            Ok(())
        }
        Err(error) => Err(faults.classify("CreateTable", error)),
    }
}

/// The table's status; `None` when there is no such table.
async fn status(
    client: &Client,
    table: &str,
    faults: &Faults,
) -> Result<Option<TableStatus>, StoreError> {
    match client.describe_table().table_name(table).send().await {
        Ok(answer) => Ok(answer.table.and_then(|table| table.table_status)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
        {
            Ok(None)
        }
        Err(error) => Err(faults.classify("DescribeTable", error)),
    }
}
