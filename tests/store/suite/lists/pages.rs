use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, Metadata, Order, Reading, TimeRange,
};
use clarity_backend::store::{ReadingStore, put_batch};

use super::super::{list, store_all, walk, walk_partial_pages};
use crate::samples::{all_of, instant, measurement, page_size, reading, reversed, series, sorted};

pub async fn pages_of_any_size_return_each_reading_once(store: &dyn ReadingStore) {
    let readings = series("someone", 23);
    store_all(store, &readings).await;
    for size in [1, 2, 7, 22, 23, 24, 1_000] {
        let ascending = ListQuery {
            limit: page_size(size),
            ..all_of("someone")
        };
        let descending = ListQuery {
            order: Order::Desc,
            ..ascending.clone()
        };
        assert_eq!(walk(store, ascending).await, readings, "size {size}");
        assert_eq!(
            walk(store, descending).await,
            reversed(readings.clone()),
            "size {size}, newest first"
        );
    }
}

pub async fn next_is_set_only_if_more_readings_match(store: &dyn ReadingStore) {
    // Two of them share a millisecond with readings outside of the range.
    let readings = [
        "2024-01-15T10:30:00.000000001Z",
        "2024-01-15T10:30:00.000000002Z",
        "2024-01-15T10:31:00Z",
        "2024-01-15T10:32:00.000000001Z",
        "2024-01-15T10:32:00.000000002Z",
    ]
    .map(|moment| reading(measurement("someone", moment)));
    store_all(store, &readings).await;
    let range = TimeRange {
        start: Some(instant("2024-01-15T10:30:00.000000002Z")),
        end: Some(instant("2024-01-15T10:32:00.000000002Z")),
    };
    for order in [Order::Asc, Order::Desc] {
        for (range, count) in [(TimeRange::default(), 5), (range, 3)] {
            for size in 1..=6 {
                let query = ListQuery {
                    range,
                    order,
                    limit: page_size(size),
                    ..all_of("someone")
                };
                let page = list(store, &query).await;
                assert_eq!(page.readings.len(), usize::from(size.min(count)));
                assert_eq!(page.next.is_some(), size < count, "{size} of {count}");
            }
        }
    }
}

pub async fn unknown_user_has_an_empty_page(store: &dyn ReadingStore) {
    store_all(store, &series("someone", 3)).await;
    for order in [Order::Asc, Order::Desc] {
        let page = list(
            store,
            &ListQuery {
                order,
                ..all_of("nobody")
            },
        )
        .await;
        assert!(page.readings.is_empty());
        assert!(page.next.is_none());
    }
}

pub async fn page_larger_than_a_megabyte_is_complete(store: &dyn ReadingStore) {
    let metadata = Metadata::parse(&format!(r#"{{"note":"{}"}}"#, "x".repeat(15_000))).unwrap();
    let readings = sorted(series("someone", 150).into_iter().map(|small| {
        reading(Measurement {
            metadata: metadata.clone(),
            ..small.measurement
        })
    }));
    store_all(store, &readings).await;
    for order in [Order::Asc, Order::Desc] {
        let in_order = match order {
            Order::Asc => readings.clone(),
            Order::Desc => reversed(readings.clone()),
        };
        for size in [149, 150, 1_000] {
            let query = ListQuery {
                order,
                limit: page_size(size),
                ..all_of("someone")
            };
            let page = list(store, &query).await;
            let count = usize::from(size).min(150);
            assert!(page.readings == in_order[..count], "a page of {size}");
            assert_eq!(page.next.is_some(), size == 149);
        }
    }
}

/// 400 readings have 6 MiB of metadata, and a page has little more than 4.
pub async fn large_metadata_ends_a_page_early(store: &dyn ReadingStore) {
    const EACH: usize = 16_000;
    let text = "x".repeat(EACH - r#"{"note":""}"#.len());
    let metadata = Metadata::parse(&format!(r#"{{"note":"{text}"}}"#)).unwrap();
    let large = |data_type: &str, one: Reading| {
        reading(Measurement {
            data_type: data_type.parse().unwrap(),
            metadata: metadata.clone(),
            ..one.measurement
        })
    };
    let readings = series("someone", 400).into_iter().enumerate();
    let readings = sorted(readings.map(|(index, one)| match index % 2 {
        0 => large("heart_rate", one),
        _ => large("steps", one),
    }));
    for outcome in put_batch(store, readings.clone()).await {
        outcome.unwrap();
    }
    let both = ["heart_rate", "steps"].map(|name| name.parse().unwrap());
    for data_types in [
        DataTypes::default(),
        DataTypes::try_from(both.to_vec()).unwrap(),
    ] {
        for (order, readings) in [
            (Order::Asc, readings.clone()),
            (Order::Desc, reversed(readings.clone())),
        ] {
            let query = ListQuery {
                data_types: data_types.clone(),
                order,
                ..all_of("someone")
            };
            let page = list(store, &query).await;
            let count = (4 * 1024 * 1024_usize).div_ceil(EACH);
            assert!(page.readings == readings[..count]);
            assert_eq!(page.next, Some(readings[count - 1].id));
            assert!(walk_partial_pages(store, query.clone()).await == readings);
            // A page with exactly as many as fit is complete.
            let last = ListQuery {
                after: Some(readings[readings.len() - count - 1].id),
                ..query
            };
            let page = list(store, &last).await;
            assert_eq!((page.readings.len(), page.next), (count, None));
        }
    }
}
