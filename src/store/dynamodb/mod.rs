//! The DynamoDB store: one table, partitioned by user and sorted by reading id.

mod attempt_metrics;
mod attribute;
mod batch_put;
mod batch_write;
mod client;
mod delete;
mod error;
mod item;
mod legacy_table;
mod list;
mod put;
mod put_coalescer;
mod query_response;
mod schema;
mod table;
mod type_index;

use std::collections::HashMap;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, Config, config};
use tokio::time::Instant;

use self::attribute::ItemAttributes;
pub use self::client::{DynamoDbSettings, DynamoDbTimeouts};
use self::error::ErrorMapper;
pub use self::legacy_table::{LegacyPage, LegacyRow, LegacyTable, LegacyValue, PageStart, Segment};
use self::put_coalescer::PutCoalescer;
use self::schema::{AttributeMap, DATA_ID, USER_ID};
use self::type_index::TypeIndex;
use super::{BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

/// Stores readings in a DynamoDB table.
///
/// Reads are strongly consistent, so a client sees its own writes on every task; they
/// cost twice the read units of eventually consistent ones. Lists filtered by data type
/// are the exception: they query the global secondary index `by-type`, which DynamoDB
/// updates asynchronously, usually within a second. Until then they may lack the newest
/// readings and contain deleted ones. On a table without the index these lists are
/// consistent, but read readings of all types.
#[derive(Clone)]
pub struct DynamoDbStore {
    client: Client,
    table: String,
    /// See [`DynamoDbSettings::fast_query_parser`].
    fast_query_parser: bool,
    errors: ErrorMapper,
    type_index: Arc<TypeIndex>,
    missing_keys_warning: Arc<Once>,
    put_coalescer: PutCoalescer,
    /// See [`DynamoDbTimeouts::operation`].
    operation_timeout: Duration,
    /// See [`DynamoDbTimeouts::batch`].
    batch_timeout: Duration,
}

impl DynamoDbStore {
    /// Creates a client for the table in `settings`. Sends no request.
    pub async fn connect(settings: DynamoDbSettings) -> Self {
        Self::connect_with(settings, DynamoDbTimeouts::default()).await
    }

    /// As [`Self::connect`], with explicit timeouts.
    pub async fn connect_with(settings: DynamoDbSettings, timeouts: DynamoDbTimeouts) -> Self {
        let client = client::connect(&settings, timeouts).await;
        Self {
            client,
            operation_timeout: timeouts.operation,
            batch_timeout: timeouts.batch,
            errors: ErrorMapper::for_table(&settings.table),
            table: settings.table,
            fast_query_parser: settings.fast_query_parser,
            type_index: Arc::default(),
            missing_keys_warning: Arc::new(Once::new()),
            put_coalescer: PutCoalescer::default(),
        }
    }

    /// Creates the table if it does not exist, and waits until it is active. For
    /// development: a production task has no permission to do so.
    ///
    /// # Errors
    /// If DynamoDB fails or rejects a request, or the table is not active within 30
    /// seconds.
    pub async fn create_table_if_missing(&self) -> Result<(), StoreError> {
        table::create_if_missing(&self.client, &self.table, &self.errors).await
    }

    /// As [`ReadingStore::check`], with a timeout that allows for loading credentials
    /// and opening a connection, so that the first requests find both.
    ///
    /// # Errors
    /// If DynamoDB does not respond or rejects the request.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.probe_table(client::startup_timeouts()).await
    }

    /// Gets an item that cannot exist, as no user id starts with a dot. This checks the
    /// table, its key schema and the permission to read.
    async fn probe_table(&self, config: config::Builder) -> Result<(), StoreError> {
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
    fn decode(&self, item: ItemAttributes<'_>) -> Result<Reading, StoreError> {
        if item.type_key.is_none() {
            self.warn_missing_index_keys();
        }
        item::decode(item)
    }

    /// Warns, once per process, that lists filtered by data type omit some readings.
    fn warn_missing_index_keys(&self) {
        self.missing_keys_warning.call_once(|| {
            tracing::warn!(
                "readings without the attribute type_key are missing from lists filtered by data type: send them again, or set type_key to `user_id#data_type`"
            );
        });
    }
}

/// Returns the key of a reading's item.
fn key(user_id: &UserId, id: ReadingId) -> AttributeMap {
    HashMap::from([
        (
            USER_ID.to_owned(),
            AttributeValue::S(user_id.as_str().to_owned()),
        ),
        (DATA_ID.to_owned(), AttributeValue::S(id.to_string())),
    ])
}

#[async_trait]
impl ReadingStore for DynamoDbStore {
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        match reading.version() {
            None => put_coalescer::put(self, reading).await,
            Some(_) => self.put_single(reading).await,
        }
    }

    async fn put_many(
        &self,
        readings: DistinctReadings,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        batch_put::put_many(self, readings.into_vec()).await
    }

    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError> {
        let response = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(user_id, id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| self.errors.classify("GetItem", error))?;
        let item = response.item.as_ref();
        item.map(|item| self.decode(item.into())).transpose()
    }

    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        let deadline = Instant::now() + self.operation_timeout;
        let key = key(user_id, id);
        delete::delete(&self.client, &self.table, &self.errors, key, deadline).await
    }

    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        delete::erase_part(self, user_id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        list::list(self, query).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.probe_table(Config::builder()).await
    }
}
