//! Where readings are kept: the contract, and the two stores that keep it.
//!
//! What a [`ReadingStore`] promises is written at the trait and tested by one
//! conformance suite that runs against both.

mod dynamodb;
mod embedded;
mod erase_user;
mod error;
mod instrumented;
mod page_builder;
mod put_batch;
mod read_newest;

use async_trait::async_trait;

pub use dynamodb::{
    DynamoDbSettings, DynamoDbStore, DynamoDbTimeouts, LegacyPage, LegacyRow, LegacyTable,
    LegacyValue, PageStart, Segment,
};
pub use embedded::{EmbeddedStore, OpenError};
pub use erase_user::{Erasure, erase_user};
pub use error::StoreError;
pub use instrumented::InstrumentedStore;
pub use put_batch::{BatchPutStatus, DistinctReadings, put_batch};
pub use read_newest::{NewestReadings, ReadBudget, read_newest};

use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

/// Keeps readings, each under its user and its id.
///
/// Everything acknowledged is durable and seen by every read that begins
/// afterwards; with one exception, which a store must name: a list of some data
/// types may take a moment to show what was written.
#[async_trait]
pub trait ReadingStore: Send + Sync {
    /// Keeps `reading`, unless what is held under its id stands
    /// ([`Reading::replaces`]): then nothing changes.
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError>;

    /// Keeps each of `readings` as [`Self::put`] would, in no particular order,
    /// and tells what became of each, in theirs. An error says that it is not
    /// known whether the reading is held. Once the store fails, readings that
    /// have not been tried get the same error without being tried.
    ///
    /// Callers use [`put_batch`].
    async fn put_many(&self, readings: DistinctReadings)
    -> Vec<Result<BatchPutStatus, StoreError>>;

    /// The reading under this id; `None` when the user has none such.
    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError>;

    /// Deletes the reading under this id, and tells whether there was one.
    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError>;

    /// Erases a bounded part of whatever is held of the user, readings or not;
    /// it is complete when nothing was found.
    ///
    /// Callers use [`erase_user`].
    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError>;

    /// A page of a user's readings, in order of their ids and thus of
    /// measurement time. Its cost depends on how much is asked for, not on how
    /// much is held.
    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// Whether the store answers at present; an error says why it does not.
    async fn check(&self) -> Result<(), StoreError>;
}

/// What became of a reading given to [`ReadingStore::put`].
#[derive(Debug, Clone, PartialEq)]
pub enum PutResult {
    /// It is held, now or since an earlier time; this is what is held.
    Stored(Reading),
    /// A higher version of the client's record is held: this one.
    Superseded(Reading),
}

/// What a store did with a reading that it was to keep.
enum WriteOutcome {
    /// It wrote it.
    Written,
    /// It wrote nothing, as this one is held and stands.
    Existing(Reading),
}

impl WriteOutcome {
    /// What became of `offered`.
    fn into_result(self, offered: Reading) -> PutResult {
        match self {
            Self::Written => PutResult::Stored(offered),
            Self::Existing(stored) if offered.is_superseded_by(&stored) => {
                PutResult::Superseded(stored)
            }
            Self::Existing(stored) => PutResult::Stored(stored),
        }
    }

    /// The same in short.
    fn status(&self, offered: &Reading) -> BatchPutStatus {
        match self {
            Self::Written => BatchPutStatus::Stored,
            Self::Existing(stored) if offered.is_superseded_by(stored) => {
                BatchPutStatus::Superseded
            }
            Self::Existing(_) => BatchPutStatus::Unchanged,
        }
    }
}
