use clarity_backend::domain::{ListQuery, Measurement, Order};
use clarity_backend::store::ReadingStore;

use super::super::{list, store_all};
use crate::samples::{all_of, measurement, reading, reversed, series, sorted};

pub async fn readings_are_sorted_ascending_or_descending(store: &dyn ReadingStore) {
    let readings = series("someone", 12);
    let shuffled: Vec<_> = (0..12)
        .map(|index| readings[index * 7 % 12].clone())
        .collect();
    store_all(store, &shuffled).await;
    let descending = ListQuery {
        order: Order::Desc,
        ..all_of("someone")
    };
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
    assert_eq!(list(store, &descending).await.readings, reversed(readings));
}

pub async fn order_depends_on_the_instant_not_its_notation(store: &dyn ReadingStore) {
    let readings = [
        "1969-12-31T23:00:00-01:00",
        "1970-01-01T00:00:00.001Z",
        "2024-03-31T03:30:00+14:00",
        "2024-03-30T10:00:00-05:00",
        "2024-03-30T15:00:01Z",
        "2024-03-30T23:30:00+08:00",
    ]
    .map(|timestamp| reading(measurement("someone", timestamp)));
    store_all(store, &reversed(readings.to_vec())).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn readings_of_one_instant_have_a_stable_order(store: &dyn ReadingStore) {
    let readings = ["steps", "heart_rate", "weight", "a", "Z.z:z-z"].map(|data_type| {
        reading(Measurement {
            data_type: data_type.parse().unwrap(),
            ..measurement("someone", "2024-01-15T10:30:00Z")
        })
    });
    store_all(store, &readings).await;
    let descending = ListQuery {
        order: Order::Desc,
        ..all_of("someone")
    };
    let expected = sorted(readings);
    assert_eq!(list(store, &all_of("someone")).await.readings, expected);
    assert_eq!(list(store, &descending).await.readings, reversed(expected));
}

pub async fn readings_of_one_millisecond_are_sorted_by_id(store: &dyn ReadingStore) {
    let readings: Vec<_> = (0..20)
        .map(|index| {
            let timestamp = format!("2024-01-15T10:30:00.123{:06}Z", index * 50_000);
            reading(measurement("someone", &timestamp))
        })
        .collect();
    store_all(store, &readings).await;
    assert_eq!(
        list(store, &all_of("someone")).await.readings,
        sorted(readings)
    );
}
