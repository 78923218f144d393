use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus,
};
use tokio::time::{Instant, sleep};

use super::client::patient;
use super::error::Faults;
use super::schema::{DATA_ID, TYPE_INDEX, TYPE_KEY, USER_ID};
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
        .config_override(patient());
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

/// The table's status; `None` when there is no such table.
async fn status(
    client: &Client,
    table: &str,
    faults: &Faults,
) -> Result<Option<TableStatus>, StoreError> {
    let description = client
        .describe_table()
        .table_name(table)
        .customize()
        .config_override(patient());
    match description.send().await {
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
