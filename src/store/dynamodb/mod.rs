//! The DynamoDB store: one table, partitioned by user and sorted by reading id.

mod attempt_metrics;
mod attribute;
mod client;
mod error;
mod item;
mod legacy_table;
mod list;
mod query_response;
mod schema;
mod store;
mod table;
mod table_client;
mod type_index;
mod write;

pub use self::client::{DynamoDbSettings, DynamoDbTimeouts};
pub use self::legacy_table::{LegacyPage, LegacyRow, LegacyTable, LegacyValue, PageStart, Segment};
pub use self::store::DynamoDbStore;
