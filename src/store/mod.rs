//! Where readings are kept: the contract, and the two stores that keep it.
//!
//! What a [`ReadingStore`] promises is written at the trait and tested by one
//! conformance suite that runs against both.

mod dynamodb;
mod embedded;
mod error;

use async_trait::async_trait;

pub use dynamodb::{DynamoDbSettings, DynamoDbStore};
pub use embedded::{EmbeddedStore, OpenError};
pub use error::StoreError;

use crate::domain::{ListQuery, Order, Page, PageSize, Reading, ReadingId, TimeRange, UserId};

/// Keeps readings, each under its user and its id.
///
/// Everything acknowledged is durable and seen by every read that begins
/// afterwards.
#[async_trait]
pub trait ReadingStore: Send + Sync {
    /// Keeps `reading`, unless what is held under its id stands
    /// ([`Reading::replaces`]): then nothing changes.
    async fn put(&self, reading: Reading) -> Result<PutOutcome, StoreError>;

    /// The reading under this id; `None` when the user has none such.
    async fn get(&self, user_id: &UserId, id: ReadingId) -> Result<Option<Reading>, StoreError>;

    /// Deletes the reading under this id, and tells whether there was one.
    async fn delete(&self, user_id: &UserId, id: ReadingId) -> Result<bool, StoreError>;

    /// A page of a user's readings, in order of their ids and thus of
    /// measurement time.
    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError>;

    /// Whether the store answers at present; an error says why it does not.
    async fn check(&self) -> Result<(), StoreError>;
}

/// What became of a reading given to [`ReadingStore::put`].
#[derive(Debug, Clone, PartialEq)]
pub enum PutOutcome {
    /// It is held, now or since an earlier time; this is what is held.
    Stored(Reading),
    /// A higher version of the client's record is held: this one.
    Superseded(Reading),
}

impl PutOutcome {
    /// The outcome where `held` stands against `offered`.
    fn stands(held: Reading, offered: &Reading) -> Self {
        if offered.is_superseded_by(&held) {
            Self::Superseded(held)
        } else {
            Self::Stored(held)
        }
    }
}

/// What was kept of a user's newest readings, and whether those were all.
#[derive(Debug)]
pub struct Newest<T> {
    /// Newest first.
    pub kept: Vec<T>,
    /// Whether the user has no older readings.
    pub complete: bool,
}

/// How much of a user's readings to read at once.
#[derive(Debug, Clone, Copy)]
pub struct ReadBudget {
    /// After the page with this many readings no more is read.
    pub readings: usize,
    /// After the page with this many bytes of metadata no more is read.
    pub metadata_bytes: usize,
}

/// Reads a user's newest readings page by page within `budget`, and keeps
/// `part` of each.
///
/// # Errors
/// Whatever the store's [`ReadingStore::list`] answers.
pub async fn newest<T>(
    store: &dyn ReadingStore,
    user_id: &UserId,
    budget: ReadBudget,
    part: impl Fn(Reading) -> T,
) -> Result<Newest<T>, StoreError> {
    let mut query = ListQuery {
        user_id: user_id.clone(),
        range: TimeRange::default(),
        order: Order::Desc,
        after: None,
        limit: PageSize::LARGEST,
    };
    let mut kept = Vec::new();
    let mut metadata_bytes = 0;
    loop {
        let page = store.list(&query).await?;
        query.after = page.readings.last().map(|reading| reading.id);
        for reading in page.readings {
            metadata_bytes += reading.measurement.metadata.as_str().len();
            kept.push(part(reading));
        }
        let is_spent = kept.len() >= budget.readings || metadata_bytes >= budget.metadata_bytes;
        if !page.has_more || is_spent {
            return Ok(Newest {
                kept,
                complete: !page.has_more,
            });
        }
    }
}
