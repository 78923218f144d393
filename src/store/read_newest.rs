//! Reading a user's newest readings, within a budget.

use super::{ReadingStore, StoreError};
use crate::domain::{DataTypes, ListQuery, Order, PageSize, Reading, TimeRange, UserId};

/// Newest readings of a user.
#[derive(Debug)]
pub struct NewestReadings<T> {
    /// The readings, newest first.
    pub items: Vec<T>,
    /// The user has no older readings.
    pub complete: bool,
}

/// Limits on reading. They are checked after each page, so both may be exceeded by one
/// page.
#[derive(Debug, Clone, Copy)]
pub struct ReadBudget {
    /// Number of readings.
    pub readings: usize,
    /// Bytes of metadata.
    pub metadata_bytes: usize,
}

/// Reads a user's newest readings page by page within `budget`, and applies `map` to
/// each.
///
/// # Errors
/// Failures of [`ReadingStore::list`].
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
