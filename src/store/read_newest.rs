//! A user's newest readings, within a budget.

use super::{ReadingStore, StoreError};
use crate::domain::{DataTypes, ListQuery, Order, PageSize, Reading, TimeRange, UserId};

/// What was kept of a user's newest readings, and whether those were all.
#[derive(Debug)]
pub struct NewestReadings<T> {
    /// Newest first.
    pub items: Vec<T>,
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
/// `map` of each.
///
/// # Errors
/// Whatever the store's [`ReadingStore::list`] answers.
pub async fn read_newest<T>(
    store: &dyn ReadingStore,
    user_id: &UserId,
    budget: ReadBudget,
    map: impl Fn(Reading) -> T,
) -> Result<NewestReadings<T>, StoreError> {
    let mut query = ListQuery {
        user_id: user_id.clone(),
        data_types: DataTypes::default(),
        range: TimeRange::default(),
        order: Order::Desc,
        after: None,
        limit: PageSize::MAX,
    };
    let mut items = Vec::new();
    let mut metadata_bytes = 0;
    loop {
        let page = store.list(&query).await?;
        query.after = page.next;
        for reading in page.readings {
            metadata_bytes += reading.measurement.metadata.as_str().len();
            items.push(map(reading));
        }
        let is_spent = items.len() >= budget.readings || metadata_bytes >= budget.metadata_bytes;
        if page.next.is_none() || is_spent {
            return Ok(NewestReadings {
                items,
                complete: page.next.is_none(),
            });
        }
    }
}
