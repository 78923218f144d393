//! Whether the table has the index by type.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    GlobalSecondaryIndexDescription, IndexStatus, KeySchemaElement, KeyType, ProjectionType,
    TableDescription,
};
use tokio::time::Instant;

use super::DynamoDbStore;
use super::schema::{DATA_ID, TYPE_INDEX, TYPE_KEY};

/// How long an answer of `DescribeTable` counts.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// What was last seen of the index, and when.
#[derive(Default)]
pub(super) struct TypeIndex(Mutex<Option<(bool, Instant)>>);

impl TypeIndex {
    /// Whether it can be used; asks DynamoDB once a minute. A table that cannot
    /// be described counts as one without it.
    pub(super) async fn is_there(&self, store: &DynamoDbStore) -> bool {
        if let Some((is_there, seen)) = self.seen()
            && seen.elapsed() < LOOK_EVERY
        {
            return is_there;
        }
        let described = store
            .client
            .describe_table()
            .table_name(&store.table)
            .send()
            .await;
        let is_there = match described {
            Ok(answer) => answer.table.as_ref().is_some_and(has_index),
            Err(error) => {
                let error = store.faults.classify("DescribeTable", error);
                tracing::warn!(%error, "it is not known whether the table has the index by-type");
                // Rather as before than slow because of a passing fault.
                self.seen().is_some_and(|(was_there, _)| was_there)
            }
        };
        self.note(is_there);
        is_there
    }

    /// Notes that a query found it missing.
    pub(super) fn has_gone(&self) {
        tracing::warn!("the table has no index by-type any more");
        self.note(false);
    }

    fn seen(&self) -> Option<(bool, Instant)> {
        *self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn note(&self, is_there: bool) {
        let mut seen = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        if seen.is_none() && !is_there {
            tracing::warn!(
                "the table has no index by-type that can be used: lists of some data types read those of others too"
            );
        }
        *seen = Some((is_there, Instant::now()));
    }
}

fn has_index(table: &TableDescription) -> bool {
    table
        .global_secondary_indexes()
        .iter()
        .any(|index| index.index_name() == Some(TYPE_INDEX) && is_usable(index))
}

/// Whether it is whole, has the right key, and holds whole items.
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
    let holds_all = index
        .projection()
        .is_some_and(|projection| projection.projection_type() == Some(&ProjectionType::All));
    has_key && is_active && holds_all
}
