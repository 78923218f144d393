use clarity_backend::domain::{ListQuery, Order, Reading, TimeRange};
use clarity_backend::store::ReadingStore;

use super::super::{list, store_all, walk};
use crate::samples::{all_of, instant, measurement, page_size, reading, reversed, sorted};

/// Readings within and around one millisecond.
const MOMENTS: [&str; 7] = [
    "2024-01-15T10:30:00.122999999Z",
    "2024-01-15T10:30:00.123000000Z",
    "2024-01-15T10:30:00.123000001Z",
    "2024-01-15T10:30:00.123500000Z",
    "2024-01-15T10:30:00.123999999Z",
    "2024-01-15T10:30:00.124000000Z",
    "2024-01-15T10:30:00.124000001Z",
];

async fn put_moments(store: &dyn ReadingStore) -> Vec<Reading> {
    let readings = MOMENTS.map(|moment| reading(measurement("someone", moment)));
    store_all(store, &readings).await;
    sorted(readings)
}

fn within(start: Option<&str>, end: Option<&str>) -> ListQuery {
    ListQuery {
        range: TimeRange {
            start: start.map(instant),
            end: end.map(instant),
        },
        ..all_of("someone")
    }
}

fn expected(readings: &[Reading], query: &ListQuery) -> Vec<Reading> {
    let TimeRange { start, end } = query.range;
    readings
        .iter()
        .filter(|reading| {
            let moment = reading.measurement.timestamp.instant();
            start.is_none_or(|start| start <= moment) && end.is_none_or(|end| moment < end)
        })
        .cloned()
        .collect()
}

pub async fn range_is_exact_to_the_nanosecond(store: &dyn ReadingStore) {
    let readings = put_moments(store).await;
    for start in MOMENTS {
        for end in MOMENTS {
            let ascending = within(Some(start), Some(end));
            let expected = expected(&readings, &ascending);
            let descending = ListQuery {
                order: Order::Desc,
                limit: page_size(2),
                ..ascending.clone()
            };
            let page = list(store, &ascending).await;
            assert_eq!(page.readings, expected, "{start} to {end}");
            assert!(page.next.is_none(), "{start} to {end}");
            assert_eq!(
                walk(store, descending).await,
                reversed(expected),
                "{start} to {end}, newest first"
            );
        }
    }
}

pub async fn range_may_be_open_on_either_side(store: &dyn ReadingStore) {
    let readings = put_moments(store).await;
    for bound in MOMENTS {
        for query in [within(Some(bound), None), within(None, Some(bound))] {
            let page = list(store, &query).await;
            assert_eq!(page.readings, expected(&readings, &query), "{bound}");
            assert!(page.next.is_none(), "{bound}");
        }
    }
}

pub async fn empty_range_returns_an_empty_page(store: &dyn ReadingStore) {
    put_moments(store).await;
    for (start, end) in [
        (MOMENTS[3], MOMENTS[3]),
        (MOMENTS[4], MOMENTS[1]),
        ("2024-01-16T00:00:00Z", "2024-01-14T00:00:00Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("1900-01-01T00:00:00Z", "1969-12-31T23:59:59.9999Z"),
        ("9000-01-01T00:00:00Z", "9999-01-01T00:00:00Z"),
    ] {
        for order in [Order::Asc, Order::Desc] {
            let page = list(
                store,
                &ListQuery {
                    order,
                    ..within(Some(start), Some(end))
                },
            )
            .await;
            assert!(page.readings.is_empty(), "{start} to {end}");
            assert!(page.next.is_none(), "{start} to {end}");
        }
    }
}

pub async fn range_may_exceed_all_readings(store: &dyn ReadingStore) {
    let readings = put_moments(store).await;
    let page = list(
        store,
        &within(
            Some("-009000-01-01T00:00:00Z"),
            Some("9999-01-01T00:00:00Z"),
        ),
    )
    .await;
    assert_eq!(page.readings, readings);
}
