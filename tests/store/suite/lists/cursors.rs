use clarity_backend::domain::{ListQuery, Measurement, Order, TimeRange};
use clarity_backend::store::ReadingStore;

use super::super::{list, put, store_all};
use crate::samples::{all_of, measurement, page_size, reading, reversed, series, sorted};

pub async fn cursor_is_exclusive(store: &dyn ReadingStore) {
    // Readings of one millisecond, which differ only in the rest of the id.
    let readings = sorted((0..9).map(|index| {
        reading(measurement(
            "someone",
            &format!("2024-01-15T10:30:00.123000{index:03}Z"),
        ))
    }));
    store_all(store, &readings).await;
    for (index, last) in readings.iter().enumerate() {
        let ascending = ListQuery {
            after: Some(last.id),
            ..all_of("someone")
        };
        let descending = ListQuery {
            order: Order::Desc,
            ..ascending.clone()
        };
        assert_eq!(
            list(store, &ascending).await.readings,
            readings[index + 1..]
        );
        assert_eq!(
            list(store, &descending).await.readings,
            reversed(readings[..index].to_vec())
        );
    }
}

pub async fn cursor_of_a_deleted_reading_is_valid(store: &dyn ReadingStore) {
    let readings = series("someone", 5);
    store_all(store, &readings).await;
    let middle = &readings[2];
    assert!(
        store
            .delete(&middle.measurement.user_id, middle.id)
            .await
            .unwrap()
    );
    let ascending = ListQuery {
        after: Some(middle.id),
        ..all_of("someone")
    };
    let descending = ListQuery {
        order: Order::Desc,
        ..ascending.clone()
    };
    assert_eq!(list(store, &ascending).await.readings, readings[3..]);
    assert_eq!(
        list(store, &descending).await.readings,
        reversed(readings[..2].to_vec())
    );
}

pub async fn cursor_outside_of_the_range_is_clamped(store: &dyn ReadingStore) {
    let readings = series("someone", 6);
    store_all(store, &readings).await;
    let moment = |index: usize| Some(readings[index].measurement.timestamp.instant());
    let from_second_to_fourth = |order, after: usize| ListQuery {
        range: TimeRange {
            start: moment(1),
            end: moment(4),
        },
        order,
        after: Some(readings[after].id),
        ..all_of("someone")
    };
    for (order, after, expected) in [
        (Order::Asc, 0, readings[1..4].to_vec()),
        (Order::Asc, 5, Vec::new()),
        (Order::Desc, 5, reversed(readings[1..4].to_vec())),
        (Order::Desc, 0, Vec::new()),
    ] {
        let page = list(store, &from_second_to_fourth(order, after)).await;
        assert_eq!(page.readings, expected, "{order:?} after {after}");
        assert!(page.next.is_none());
    }
}

/// Readings that exist throughout are returned exactly once.
pub async fn pages_are_stable_under_writes_and_deletions(store: &dyn ReadingStore) {
    let readings = series("someone", 12);
    store_all(store, &readings).await;
    let newer = |index: usize| {
        reading(Measurement {
            data_type: "steps".parse().unwrap(),
            ..readings[index].measurement.clone()
        })
    };
    let mut query = ListQuery {
        order: Order::Desc,
        limit: page_size(4),
        ..all_of("someone")
    };
    let mut seen = Vec::new();
    for late in [11, 10, 9] {
        let page = list(store, &query).await;
        let last = page.readings.last().unwrap();
        query.after = Some(last.id);
        put(store, &newer(late)).await;
        let user_id = &last.measurement.user_id;
        assert!(store.delete(user_id, last.id).await.unwrap());
        seen.extend(page.readings);
    }
    assert_eq!(seen, reversed(readings));
    assert!(list(store, &query).await.readings.is_empty());
}
