//! The DynamoDB store: one table, partitioned by user and sorted by reading id.
//!
//! | file | content |
//! | --- | --- |
//! | `store` | [`DynamoDbStore`], the implementation of the contract |
//! | `schema`, `item`, `attribute` | attribute names, and items from and to readings |
//! | `write` | puts, batches, deletions and erasures |
//! | `write_mark` | marks and conditions that make late attempts harmless |
//! | `list`, `query_response`, `type_index` | lists, their fast parser, and the index by type |
//! | `client`, `table_client`, `table` | SDK setup, client of the table, its creation |
//! | `error`, `attempt_metrics` | errors and metrics of requests |
//! | `legacy_table` | reading the Python service's table |

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
mod write_mark;

pub use self::client::{DynamoDbSettings, DynamoDbTimeouts};
pub use self::legacy_table::{LegacyPage, LegacyRow, LegacyTable, LegacyValue, PageStart, Segment};
pub use self::store::DynamoDbStore;
