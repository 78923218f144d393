use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Config;

use super::client::{self, DynamoDbSettings, DynamoDbTimeouts};
use super::table_client::TableClient;
use super::type_index::TypeIndex;
use super::write::{self, LateWrites, PutCoalescer};
use super::{list, table};
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};
use crate::store::{
    BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore, StoreError,
};

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
    table: TableClient,
    type_index: Arc<TypeIndex>,
    put_coalescer: PutCoalescer,
    late_writes: LateWrites,
}

impl DynamoDbStore {
    /// Creates a client for the table in `settings`. Sends no request.
    pub async fn connect(settings: DynamoDbSettings) -> Self {
        Self::connect_with(settings, DynamoDbTimeouts::default()).await
    }

    /// As [`Self::connect`], with explicit timeouts.
    pub async fn connect_with(settings: DynamoDbSettings, timeouts: DynamoDbTimeouts) -> Self {
        Self {
            table: TableClient::connect(settings, timeouts).await,
            type_index: Arc::default(),
            put_coalescer: PutCoalescer::default(),
            late_writes: LateWrites::default(),
        }
    }

    /// Creates the table if it does not exist, and waits until it is active. For
    /// development: a production task has no permission to do so.
    ///
    /// # Errors
    /// If DynamoDB fails or rejects a request, or the table is not active within 30
    /// seconds.
    pub async fn create_table_if_missing(&self) -> Result<(), StoreError> {
        let TableClient {
            client,
            table,
            errors,
            ..
        } = &self.table;
        table::create_if_missing(client, table, errors).await
    }

    /// As [`ReadingStore::check`], with a timeout that allows for loading credentials
    /// and opening a connection, so that the first requests find both.
    ///
    /// # Errors
    /// If DynamoDB does not respond or rejects the request.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.table.probe(client::startup_timeouts()).await
    }
}

#[async_trait]
impl ReadingStore for DynamoDbStore {
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError> {
        match reading.version() {
            None => self.put_coalescer.put(&self.table, reading).await,
            Some(_) => write::put_single(&self.table, reading).await,
        }
    }

    async fn put_many(
        &self,
        readings: DistinctReadings,
    ) -> Vec<Result<BatchPutStatus, StoreError>> {
        write::put_many(&self.table, readings.into_vec()).await
    }

    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError> {
        self.table.get(user_id, id).await
    }

    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError> {
        write::delete(&self.table, &self.late_writes, user_id, id).await
    }

    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError> {
        write::erase_part(&self.table, &self.late_writes, user_id).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        list::list(&self.table, &self.type_index, query).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.table.probe(Config::builder()).await
    }
}
