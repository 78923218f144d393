//! Lists over stored readings that cannot be decoded.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use clarity_backend::domain::{DataTypes, ListQuery, Order, Reading, ReadingId};
use clarity_backend::store::ReadingStore;

use crate::samples::{all_of, page_size, reversed};

/// Number of readings of the user.
pub const COUNT: u32 = 140;

/// Indices of the unreadable ones: the first, the last, and more in a row than fit on a
/// page.
const UNREADABLE: [RangeInclusive<usize>; 4] = [0..=0, 3..=3, 10..=134, 139..=139];

/// Returns the ids that a test makes unreadable.
pub fn unreadable_ids(readings: &[Reading]) -> BTreeSet<ReadingId> {
    let indices = UNREADABLE.into_iter().flatten();
    indices.map(|index| readings[index].id).collect()
}

/// Checks that the pages of every query together have all readable readings, and each
/// unreadable id once.
pub async fn check_lists(store: &dyn ReadingStore, readings: &[Reading]) {
    let unreadable = unreadable_ids(readings);
    let readable = readings.iter().filter(|one| !unreadable.contains(&one.id));
    let readable: Vec<Reading> = readable.cloned().collect();
    for data_types in [vec![], vec!["heart_rate"], vec!["heart_rate", "steps"]] {
        let data_types = data_types.into_iter().map(|name| name.parse().unwrap());
        let data_types = match data_types.collect::<Vec<_>>() {
            none if none.is_empty() => DataTypes::default(),
            some => DataTypes::try_from(some).unwrap(),
        };
        for order in [Order::Asc, Order::Desc] {
            for limit in [1, 2, 7, 1000] {
                let query = ListQuery {
                    data_types: data_types.clone(),
                    order,
                    limit: page_size(limit),
                    ..all_of("someone")
                };
                let (listed, skipped) = all_pages(store, query).await;
                let expected = match order {
                    Order::Asc => readable.clone(),
                    Order::Desc => reversed(readable.clone()),
                };
                assert_eq!(listed, expected, "{data_types:?} {order:?} {limit}");
                assert_eq!(skipped.len(), unreadable.len(), "{order:?} {limit}");
                let skipped: BTreeSet<ReadingId> = skipped.into_iter().collect();
                assert_eq!(skipped, unreadable, "{data_types:?} {order:?} {limit}");
            }
        }
    }
}

async fn all_pages(
    store: &dyn ReadingStore,
    mut query: ListQuery,
) -> (Vec<Reading>, Vec<ReadingId>) {
    let (mut listed, mut skipped) = (Vec::new(), Vec::new());
    loop {
        let page = store.list(&query).await.unwrap();
        assert!(page.readings.len() <= query.limit.get());
        listed.extend(page.readings);
        skipped.extend(page.unreadable.into_iter().map(|one| {
            assert_ne!(one.reason, "");
            one.id
        }));
        match page.next {
            Some(next) => assert_ne!(query.after.replace(next), Some(next)),
            None => return (listed, skipped),
        }
    }
}
