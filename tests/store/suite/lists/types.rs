use clarity_backend::domain::{
    DataTypes, ListQuery, Measurement, Metadata, Order, Reading, TimeRange,
};
use clarity_backend::store::ReadingStore;

use super::super::{list, store_all, walk_partial_pages};
use crate::samples::{all_of, instant, measurement, page_size, reading, reversed, series};

/// Readings of three alternating types, oldest first.
fn in_turn(user_id: &str, count: u32) -> Vec<Reading> {
    let types = ["a", "a.b", "b"];
    let of_type = |(index, one): (usize, Reading)| {
        reading(Measurement {
            data_type: types[index % 3].parse().unwrap(),
            ..one.measurement
        })
    };
    let readings = series(user_id, count).into_iter().enumerate();
    readings.map(of_type).collect()
}

fn types(named: &[&str]) -> DataTypes {
    let named: Vec<_> = named.iter().map(|name| name.parse().unwrap()).collect();
    named.try_into().unwrap()
}

fn of_types(readings: &[Reading], named: &[&str]) -> Vec<Reading> {
    let mut readings = readings.to_vec();
    readings.retain(|reading| named.contains(&reading.measurement.data_type.as_str()));
    readings
}

pub async fn list_returns_only_the_given_types(store: &dyn ReadingStore) {
    let readings = in_turn("someone", 40);
    store_all(store, &readings).await;
    store_all(store, &in_turn("someone.a", 5)).await;
    for named in [
        ["a"].as_slice(),
        &["b"],
        &["b", "a"],
        &["a", "a.b", "b"],
        &["c"],
        &["c", "a.b"],
    ] {
        let expected = of_types(&readings, named);
        for limit in [1, 4, 13, 1_000].map(page_size) {
            let ascending = ListQuery {
                data_types: types(named),
                limit,
                ..all_of("someone")
            };
            let descending = ListQuery {
                order: Order::Desc,
                ..ascending.clone()
            };
            let found = walk_partial_pages(store, ascending).await;
            assert_eq!(found, expected, "{named:?} by {limit:?}");
            let found = walk_partial_pages(store, descending).await;
            assert_eq!(found, reversed(expected.clone()), "{named:?}, newest first");
        }
    }
}

pub async fn list_combines_types_and_range(store: &dyn ReadingStore) {
    // Two of them share a millisecond with a bound.
    let readings = [
        ("a", "2024-01-15T10:30:00.000000001Z"),
        ("a", "2024-01-15T10:30:00.000000002Z"),
        ("b", "2024-01-15T10:30:00.000000002Z"),
        ("a", "2024-01-15T10:31:00Z"),
        ("b", "2024-01-15T10:32:00.000000001Z"),
        ("a", "2024-01-15T10:32:00.000000002Z"),
    ]
    .map(|(data_type, moment)| {
        reading(Measurement {
            data_type: data_type.parse().unwrap(),
            ..measurement("someone", moment)
        })
    });
    store_all(store, &readings).await;
    let query = |named, limit| ListQuery {
        data_types: types(named),
        range: TimeRange {
            start: Some(instant("2024-01-15T10:30:00.000000002Z")),
            end: Some(instant("2024-01-15T10:32:00.000000002Z")),
        },
        limit: page_size(limit),
        ..all_of("someone")
    };
    for limit in [1, 2, 100] {
        let found = walk_partial_pages(store, query(&["a"], limit)).await;
        assert_eq!(found, [readings[1].clone(), readings[3].clone()]);
        assert_eq!(
            walk_partial_pages(store, query(&["a", "b"], limit))
                .await
                .len(),
            4
        );
    }
}

pub async fn deleted_readings_are_not_listed_by_type(store: &dyn ReadingStore) {
    let readings = in_turn("someone", 9);
    store_all(store, &readings).await;
    let user_id = &readings[0].measurement.user_id;
    for gone in &readings[..3] {
        assert!(store.delete(user_id, gone.id).await.unwrap());
    }
    let query = ListQuery {
        data_types: types(&["a", "b"]),
        ..all_of("someone")
    };
    let found = walk_partial_pages(store, query).await;
    assert_eq!(found, of_types(&readings[3..], &["a", "b"]));
}

/// However many readings of other types lie in between, each response is fast, and the
/// walk terminates.
pub async fn rare_type_is_found_among_many_others(store: &dyn ReadingStore) {
    let large = Metadata::parse(&format!(r#"{{"note":"{}"}}"#, "x".repeat(15_000))).unwrap();
    let mut readings = series("someone", 320);
    for other in &mut readings[1..] {
        *other = reading(Measurement {
            data_type: "b".parse().unwrap(),
            metadata: large.clone(),
            ..other.measurement.clone()
        });
    }
    store_all(store, &readings).await;
    let query = ListQuery {
        data_types: types(&["heart_rate"]),
        order: Order::Desc,
        ..all_of("someone")
    };
    assert_eq!(walk_partial_pages(store, query).await, readings[..1]);
}

/// Requires the index by type.
pub async fn pages_by_type_are_full(store: &dyn ReadingStore) {
    let readings = in_turn("someone", 30);
    store_all(store, &readings).await;
    for (limit, named) in [(4, ["b"].as_slice()), (7, &["a", "b"]), (20, &["a", "b"])] {
        let query = ListQuery {
            data_types: types(named),
            limit: page_size(limit),
            ..all_of("someone")
        };
        let expected = of_types(&readings, named);
        let page = list(store, &query).await;
        let count = expected.len().min(usize::from(limit));
        assert_eq!(page.readings, expected[..count]);
        assert_eq!(page.next.is_some(), expected.len() > count);
    }
}
