//! Client of one table.

use std::collections::HashMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, config};

use super::attribute::ItemAttributes;
use super::client::{self, DynamoDbSettings, DynamoDbTimeouts};
use super::error::ErrorMapper;
use super::item;
use super::schema::{AttributeMap, DATA_ID, USER_ID};
use crate::domain::{Reading, ReadingId, UserId};
use crate::store::StoreError;

/// Client of the table, with what every operation needs.
#[derive(Clone)]
pub(super) struct TableClient {
    pub(super) client: Client,
    pub(super) table: String,
    /// See [`DynamoDbSettings::fast_query_parser`].
    pub(super) fast_query_parser: bool,
    pub(super) errors: ErrorMapper,
    /// See [`DynamoDbTimeouts::operation`].
    pub(super) operation_timeout: Duration,
    /// See [`DynamoDbTimeouts::batch`].
    pub(super) batch_timeout: Duration,
    missing_keys_warning: Arc<Once>,
}

impl TableClient {
    pub(super) async fn connect(settings: DynamoDbSettings, timeouts: DynamoDbTimeouts) -> Self {
        let client = client::connect(&settings, timeouts).await;
        Self {
            client,
            operation_timeout: timeouts.operation,
            batch_timeout: timeouts.batch,
            errors: ErrorMapper::for_table(&settings.table),
            table: settings.table,
            fast_query_parser: settings.fast_query_parser,
            missing_keys_warning: Arc::new(Once::new()),
        }
    }

    /// Gets a reading by its id.
    pub(super) async fn get(
        &self,
        user_id: &UserId,
        id: ReadingId,
    ) -> Result<Option<Reading>, StoreError> {
        let item = self.get_item(user_id, id).await?;
        item.map(|item| self.decode((&item).into())).transpose()
    }

    /// Gets the item of a reading.
    pub(super) async fn get_item(
        &self,
        user_id: &UserId,
        id: ReadingId,
    ) -> Result<Option<AttributeMap>, StoreError> {
        let response = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(user_id, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.errors.classify("GetItem", error))?;
        Ok(response.item)
    }

    /// Gets an item that cannot exist, as no user id starts with a dot. This checks the
    /// table, its key schema and the permission to read.
    pub(super) async fn probe(&self, config: config::Builder) -> Result<(), StoreError> {
        let absent = AttributeValue::S(".readiness".to_owned());
        self.client
            .get_item()
            .table_name(&self.table)
            .key(USER_ID, absent.clone())
            .key(DATA_ID, absent)
            .projection_expression(DATA_ID)
            .customize()
            .config_override(config)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.errors.classify("GetItem", error))
    }

    /// Decodes an item of the table.
    pub(super) fn decode(&self, item: ItemAttributes<'_>) -> Result<Reading, StoreError> {
        if item.type_key.is_none() {
            self.warn_missing_index_keys();
        }
        item::decode(item)
    }

    /// Warns, once per process, that lists filtered by data type omit some readings.
    pub(super) fn warn_missing_index_keys(&self) {
        self.missing_keys_warning.call_once(|| {
            tracing::warn!(
                "readings without the attribute type_key are missing from lists filtered by data type: send them again, or set type_key to `user_id#data_type`"
            );
        });
    }
}

/// Returns the key of a reading's item.
pub(super) fn key(user_id: &UserId, id: ReadingId) -> AttributeMap {
    HashMap::from([
        (
            USER_ID.to_owned(),
            AttributeValue::S(user_id.as_str().to_owned()),
        ),
        (DATA_ID.to_owned(), AttributeValue::S(id.to_string())),
    ])
}
