//! The rows that the Python service wrote, as long as there are some.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use tokio::time::Instant;

use super::client::{self, DynamoDbSettings, DynamoDbTimeouts};
use super::delete;
use super::error::ErrorMapper;
use super::item::write_json;
use super::schema::{AttributeMap, DATA_ID, USER_ID};
use crate::domain::ReadingId;
use crate::store::StoreError;

/// A page of a scan is a megabyte, and nobody else backoff for it.
const TIMEOUTS: DynamoDbTimeouts = DynamoDbTimeouts {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(10),
    operation: Duration::from_secs(30),
    batch: Duration::from_secs(30),
};

/// A table with rows that the Python service wrote, which are no readings of
/// this service: their sort key is `<data_type>_<8 hex>_<epoch seconds>`.
pub struct LegacyTable {
    client: Client,
    table: String,
    errors: ErrorMapper,
}

/// A row of such a table.
#[derive(Debug)]
pub struct LegacyRow {
    /// Its partition key.
    pub user_id: String,
    /// Its sort key.
    pub data_id: String,
    /// Its other attributes by name.
    pub attributes: BTreeMap<String, LegacyValue>,
}

/// An attribute of a row.
#[derive(Debug)]
pub enum LegacyValue {
    /// A text.
    Text(String),
    /// Anything else, as JSON; `None` for a type that has no form there.
    Json(Option<String>),
}

/// Some rows of a segment of the table.
pub struct LegacyPage {
    /// The rows that are not of this service.
    pub rows: Vec<LegacyRow>,
    /// How many readings of this service were among them.
    pub readings: u64,
    /// How many read units the page took.
    pub read_units: f64,
    /// Where the next page begins, if there is one.
    pub next: Option<PageStart>,
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub struct PageStart(AttributeMap);

/// A part of a table that is read by itself.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Which one, from 0.
    pub index: u16,
    /// Of how many.
    pub total: u16,
}

impl LegacyTable {
    /// Connects to the table that `settings` name; no request is sent yet.
    pub async fn connect(settings: DynamoDbSettings) -> Self {
        Self {
            client: client::connect(&settings, TIMEOUTS).await,
            errors: ErrorMapper::for_table(&settings.table),
            table: settings.table,
        }
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// The rows of a segment behind `after`, as they are at this moment; `limit`
    /// at most, or 1 MB of them.
    ///
    /// # Errors
    /// When DynamoDB does not response or refuses.
    pub async fn page(
        &self,
        segment: Segment,
        after: Option<PageStart>,
        limit: Option<u16>,
    ) -> Result<LegacyPage, StoreError> {
        let response = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(segment.index.into())
            .total_segments(segment.total.into())
            .set_exclusive_start_key(after.map(|PageStart(key)| key))
            .set_limit(limit.map(i32::from))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| self.errors.classify("Scan", error))?;
        let items = response.items.unwrap_or_default();
        let count = items.len();
        let rows: Vec<LegacyRow> = items.into_iter().filter_map(legacy_row).collect();
        Ok(LegacyPage {
            readings: (count - rows.len()) as u64,
            rows,
            read_units: response
                .consumed_capacity
                .and_then(|capacity| capacity.capacity_units)
                .unwrap_or_default(),
            next: response
                .last_evaluated_key
                .filter(|key| !key.is_empty())
                .map(PageStart),
        })
    }

    /// Deletes a row, and tells whether it was there.
    ///
    /// # Errors
    /// When DynamoDB does not response or refuses.
    pub async fn delete(&self, user_id: &str, data_id: &str) -> Result<bool, StoreError> {
        let key = AttributeMap::from([
            (USER_ID.to_owned(), AttributeValue::S(user_id.to_owned())),
            (DATA_ID.to_owned(), AttributeValue::S(data_id.to_owned())),
        ]);
        let deadline = Instant::now() + TIMEOUTS.operation;
        delete::delete(&self.client, &self.table, &self.errors, key, deadline).await
    }
}

/// The row in an item, unless it is a reading of this service.
fn legacy_row(mut item: AttributeMap) -> Option<LegacyRow> {
    let mut key = |name| match item.remove(name) {
        Some(AttributeValue::S(text)) => text,
        // The table's own schema makes them texts.
        _ => String::new(),
    };
    let (user_id, data_id) = (key(USER_ID), key(DATA_ID));
    if data_id.parse::<ReadingId>().is_ok() {
        return None;
    }
    let attributes = item.into_iter().map(|(name, attribute)| {
        let value = match attribute {
            AttributeValue::S(text) => LegacyValue::Text(text),
            other => {
                let mut json = String::new();
                LegacyValue::Json(write_json(&other, &mut json).ok().map(|()| json))
            }
        };
        (name, value)
    });
    Some(LegacyRow {
        attributes: attributes.collect(),
        user_id,
        data_id,
    })
}
