//! Rows that the Python service wrote, for their migration.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use tokio::time::Instant;

use super::client::{self, DynamoDbSettings, DynamoDbTimeouts};
use super::error::ErrorMapper;
use super::item::write_json;
use super::schema::{AttributeMap, DATA_ID, USER_ID};
use super::write;
use crate::domain::ReadingId;
use crate::store::StoreError;

/// Scan pages hold up to a megabyte, and no client waits for them.
const TIMEOUTS: DynamoDbTimeouts = DynamoDbTimeouts {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(10),
    operation: Duration::from_secs(30),
    batch: Duration::from_secs(30),
};

/// A table with rows of the Python service, whose sort keys are `<data_type>_<8
/// hex>_<epoch seconds>`.
pub struct LegacyTable {
    client: Client,
    table: String,
    errors: ErrorMapper,
}

/// A legacy row.
#[derive(Debug)]
pub struct LegacyRow {
    /// Partition key.
    pub user_id: String,
    /// Sort key.
    pub data_id: String,
    /// Other attributes by name.
    pub attributes: BTreeMap<String, LegacyValue>,
}

/// Attribute of a legacy row.
#[derive(Debug)]
pub enum LegacyValue {
    /// A string.
    Text(String),
    /// Any other type, as JSON; `None` for types without a JSON form.
    Json(Option<String>),
}

/// A page of a segment.
pub struct LegacyPage {
    /// The legacy rows.
    pub rows: Vec<LegacyRow>,
    /// Number of readings of this service on the page.
    pub readings: u64,
    /// Consumed read capacity units.
    pub read_units: f64,
    /// Start of the next page, if there is one.
    pub next: Option<PageStart>,
}

/// Start of a page.
#[derive(Debug, Clone)]
pub struct PageStart(AttributeMap);

/// A segment of a parallel scan.
#[derive(Debug, Clone, Copy)]
pub struct Segment {
    /// Index, from 0.
    pub index: u16,
    /// Number of segments.
    pub total: u16,
}

impl LegacyTable {
    /// Creates a client for the table in `settings`. Sends no request.
    pub async fn connect(settings: DynamoDbSettings) -> Self {
        Self {
            client: client::connect(&settings, TIMEOUTS).await,
            errors: ErrorMapper::for_table(&settings.table),
            table: settings.table,
        }
    }

    /// Returns the table name.
    pub fn name(&self) -> &str {
        &self.table
    }

    /// Reads the legacy rows of a segment that follow `after`, consistently: at most
    /// `limit` items, or 1 MB.
    ///
    /// # Errors
    /// If DynamoDB does not respond or rejects the request.
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

    /// Deletes a row, and returns `true` if it existed.
    ///
    /// # Errors
    /// If DynamoDB does not respond or rejects the request.
    pub async fn delete(&self, user_id: &str, data_id: &str) -> Result<bool, StoreError> {
        let key = AttributeMap::from([
            (USER_ID.to_owned(), AttributeValue::S(user_id.to_owned())),
            (DATA_ID.to_owned(), AttributeValue::S(data_id.to_owned())),
        ]);
        let deadline = Instant::now() + TIMEOUTS.operation;
        write::delete_item(&self.client, &self.table, &self.errors, key, deadline).await
    }
}

/// Converts an item to a row, unless it is a reading of this service.
fn legacy_row(mut item: AttributeMap) -> Option<LegacyRow> {
    let mut key = |name| match item.remove(name) {
        Some(AttributeValue::S(text)) => text,
        // The table's schema requires strings.
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
