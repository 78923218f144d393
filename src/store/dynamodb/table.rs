use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus,
};
use tokio::time::{Instant, sleep};

use super::client::startup_timeouts;
use super::error::ErrorMapper;
use super::schema::{DATA_ID, TYPE_INDEX, TYPE_KEY, USER_ID};
use crate::store::StoreError;

const CREATION_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(250);

pub(super) async fn create_if_missing(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
) -> Result<(), StoreError> {
    if status(client, table, errors).await?.is_none() {
        create(client, table, errors).await?;
    }
    let deadline = Instant::now() + CREATION_TIMEOUT;
    while status(client, table, errors).await? != Some(TableStatus::Active) {
        if Instant::now() > deadline {
            return Err(StoreError::unavailable("the table is not active yet"));
        }
        sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

async fn create(client: &Client, table: &str, errors: &ErrorMapper) -> Result<(), StoreError> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(TYPE_INDEX)
        .set_key_schema(Some(key_schema(TYPE_KEY, DATA_ID)?))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        )
        .build()
        .map_err(StoreError::unavailable)?;
    let attributes = [USER_ID, DATA_ID, TYPE_KEY].map(|name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(StoreError::unavailable)
    });
    let request = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.into_iter().collect::<Result<_, _>>()?))
        .set_key_schema(Some(key_schema(USER_ID, DATA_ID)?))
        .global_secondary_indexes(index)
        .customize()
        .config_override(startup_timeouts());
    match request.send().await {
        Ok(_) => Ok(()),
        // Another process created it first.
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_resource_in_use_exception()) =>
        {
            Ok(())
        }
        Err(error) => Err(errors.classify("CreateTable", error)),
    }
}

fn key_schema(partition: &str, sort: &str) -> Result<Vec<KeySchemaElement>, StoreError> {
    [(partition, KeyType::Hash), (sort, KeyType::Range)]
        .into_iter()
        .map(|(name, role)| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(role)
                .build()
                .map_err(StoreError::unavailable)
        })
        .collect()
}

/// Returns the table's status, or `None` if it does not exist.
async fn status(
    client: &Client,
    table: &str,
    errors: &ErrorMapper,
) -> Result<Option<TableStatus>, StoreError> {
    let description = client
        .describe_table()
        .table_name(table)
        .customize()
        .config_override(startup_timeouts());
    match description.send().await {
        Ok(response) => Ok(response.table.and_then(|table| table.table_status)),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeTableError::is_resource_not_found_exception) =>
        {
            Ok(None)
        }
        Err(error) => Err(errors.classify("DescribeTable", error)),
    }
}
