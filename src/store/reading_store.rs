//! The storage contract.

use async_trait::async_trait;

use super::error::StoreError;
use crate::domain::{ListQuery, Page, Reading, ReadingId, UserId};

/// A store of readings, each identified by its user and its id.
///
/// Guarantees that every implementation gives:
///
/// - Durability: a successful write survives a crash and a loss of power.
/// - Read-your-writes: a read that starts after a write was acknowledged sees it. An
///   implementation may exempt lists filtered by data type, which may then lag behind
///   for a moment; it documents that.
/// - Idempotency: repeating any write leaves the store as the first one left it, so
///   callers may retry after every error.
/// - Unknown outcomes: after an error, a write may or may not have been applied.
/// - Isolation: an operation touches the readings of its user only.
///
/// Errors are [`StoreError`]s; [`StoreError::is_retryable`] identifies transient
/// ones. No error contains a user id or a measurement.
#[async_trait]
pub trait ReadingStore: Send + Sync {
    /// Stores `reading`, unless a reading with the same id exists that it does not
    /// replace ([`Reading::replaces`]). Then nothing changes, `created_at` included.
    ///
    /// Returns the reading that is stored afterwards.
    async fn put(&self, reading: Reading) -> Result<PutResult, StoreError>;

    /// Stores each of `readings` as [`Self::put`] would, in any order and not
    /// atomically.
    ///
    /// Returns one result per reading, in the order of `readings`. Once the store
    /// fails, readings that were not tried yet get the same error.
    ///
    /// Call [`put_batch`] instead, which also accepts readings that share an id.
    ///
    /// [`put_batch`]: super::put_batch()
    async fn put_many(&self, readings: DistinctReadings)
    -> Vec<Result<BatchPutStatus, StoreError>>;

    /// Returns the reading with this id, or `None` if the user has none. Fails with
    /// [`StoreError::Corrupt`] if it exists but cannot be decoded: its absence would
    /// be a wrong answer.
    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError>;

    /// Deletes the reading with this id, and returns `true` if it existed.
    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError>;

    /// Erases a bounded number of the user's records, including those that are not
    /// readings. The erasure is complete once a call finds nothing.
    ///
    /// Call [`erase_user`](super::erase_user()) instead, which repeats this.
    async fn erase_part(&self, user_id: &UserId) -> Result<Erasure, StoreError>;

    /// Returns a page of a user's readings, ordered by id and thus by measurement time.
    ///
    /// Pages of one query do not overlap. A reading that exists throughout is on
    /// exactly one of them, whatever is written meanwhile. The cost depends on the size
    /// of the page, not on how many readings the user has.
    ///
    /// A reading that cannot be decoded does not hide the others. It is skipped, and
    /// [`Page::unreadable`] of one page has its id. After many of them the page ends
    /// early, even if empty, and has [`Page::next`]. Deletion and erasure need not
    /// decode, so they work as for any other.
    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// Checks that the store can serve reads; the error is the reason why not.
    async fn check(&self) -> Result<(), StoreError>;
}

/// Result of [`ReadingStore::put`].
#[derive(Debug, Clone, PartialEq)]
pub enum PutResult {
    /// The reading that is stored: the given one, or one that was stored earlier.
    Stored(Reading),
    /// The stored reading, a higher version of the same client record.
    Superseded(Reading),
}

/// Status of a reading that was given to [`put_batch`](super::put_batch()).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchPutStatus {
    /// Newly stored.
    Stored,
    /// Already stored, or a duplicate of another reading in the batch.
    Unchanged,
    /// Not stored, as a higher version of the client record exists.
    Superseded,
}

/// Readings with distinct users or ids.
#[derive(Debug)]
pub struct DistinctReadings(pub(super) Vec<Reading>);

impl DistinctReadings {
    /// Returns the readings.
    pub fn into_vec(self) -> Vec<Reading> {
        self.0
    }
}

/// Progress of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Number of erased records. Concurrent erasures of one user may both count a
    /// record.
    pub deleted: u64,
    /// Nothing of the user is left.
    pub complete: bool,
}

/// Outcome of writing one reading.
pub(super) enum WriteOutcome {
    /// The reading was written.
    Written,
    /// Nothing was written, as this existing reading is not replaced.
    Existing(Reading),
}

impl WriteOutcome {
    /// Converts the outcome of writing `offered` into the result of a single put.
    pub(super) fn into_result(self, offered: Reading) -> PutResult {
        match self {
            Self::Written => PutResult::Stored(offered),
            Self::Existing(stored) if offered.is_superseded_by(&stored) => {
                PutResult::Superseded(stored)
            }
            Self::Existing(stored) => PutResult::Stored(stored),
        }
    }

    /// Converts the outcome of writing `offered` into its status in a batch.
    pub(super) fn status(&self, offered: &Reading) -> BatchPutStatus {
        match self {
            Self::Written => BatchPutStatus::Stored,
            Self::Existing(stored) if offered.is_superseded_by(stored) => {
                BatchPutStatus::Superseded
            }
            Self::Existing(_) => BatchPutStatus::Unchanged,
        }
    }
}
