//! Storage of readings: the [`ReadingStore`] contract and its two implementations.
//!
//! One conformance suite, `tests/store/suite`, runs against both.

mod dynamodb;
mod embedded;
mod erase_user;
mod error;
mod instrumented;
mod page_builder;
mod put_batch;
mod read_newest;
mod reading_store;

pub use dynamodb::{
    DynamoDbSettings, DynamoDbStore, DynamoDbTimeouts, LegacyPage, LegacyRow, LegacyTable,
    LegacyValue, PageStart, Segment,
};
pub use embedded::{EmbeddedStore, OpenError};
pub use erase_user::erase_user;
pub use error::StoreError;
pub use instrumented::InstrumentedStore;
pub use put_batch::put_batch;
pub use read_newest::{NewestReadings, ReadBudget, read_newest};
pub use reading_store::{BatchPutStatus, DistinctReadings, Erasure, PutResult, ReadingStore};
