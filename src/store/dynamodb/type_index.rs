//! Detection of the index by type.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType, ProjectionType,
    TableDescription,
};
use tokio::time::Instant;

use super::schema::{DATA_ID, TYPE_INDEX, TYPE_KEY};
use super::table_client::TableClient;

/// Time for which a result of `DescribeTable` is used.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);

/// Last known state of the index, and when it was checked.
#[derive(Default)]
pub(super) struct TypeIndex(Mutex<Option<(bool, Instant)>>);

impl TypeIndex {
    /// Returns `true` if the index can be used. Checks at most once a minute. If the
    /// check fails, the last known state remains; initially, the index counts as
    /// missing.
    pub(super) async fn is_available(&self, table: &TableClient) -> bool {
        if let Some((is_available, checked_at)) = self.last_check()
            && checked_at.elapsed() < CHECK_INTERVAL
        {
            return is_available;
        }
        let described = table
            .client
            .describe_table()
            .table_name(&table.table)
            .send()
            .await;
        let is_available = match described {
            Ok(response) => response.table.as_ref().is_some_and(has_index),
            Err(error) => {
                let error = table.errors.classify("DescribeTable", error);
                tracing::warn!(%error, "cannot determine whether the table has the index by-type");
                // A transient failure must not switch to slow queries.
                self.last_check()
                    .is_some_and(|(was_available, _)| was_available)
            }
        };
        self.update(is_available);
        is_available
    }

    /// Records that a query did not find the index.
    pub(super) fn mark_missing(&self) {
        tracing::warn!("the index by-type no longer exists");
        self.update(false);
    }

    fn last_check(&self) -> Option<(bool, Instant)> {
        *self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn update(&self, is_available: bool) {
        let mut last = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if last.is_none() && !is_available {
            tracing::warn!(
                "the table has no usable index by-type: lists filtered by data type also read other types"
            );
        }
        *last = Some((is_available, Instant::now()));
    }
}

fn has_index(table: &TableDescription) -> bool {
    table
        .global_secondary_indexes()
        .iter()
        .any(|index| index.index_name() == Some(TYPE_INDEX) && is_usable(index))
}

/// Returns `true` if the index is active, has the expected key and projects all
/// attributes.
fn is_usable(index: &GlobalSecondaryIndexDescription) -> bool {
    let is_key = |element: &KeySchemaElement, name: &str, role: &KeyType| {
        element.attribute_name() == name && element.key_type() == role
    };
    let has_key = match index.key_schema() {
        [partition, sort] => {
            is_key(partition, TYPE_KEY, &KeyType::Hash) && is_key(sort, DATA_ID, &KeyType::Range)
        }
        _ => false,
    };
    let is_active = index.index_status() == Some(&IndexStatus::Active);
    let projects_all = index
        .projection()
        .is_some_and(|projection| projection.projection_type() == Some(&ProjectionType::All));
    has_key && is_active && projects_all
}
