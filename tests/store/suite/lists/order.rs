use clarity_backend::domain::{ListQuery, Measurement, Order};
use clarity_backend::store::ReadingStore;

use super::{list, put_all};
use crate::samples::{all_of, measurement, reading, reversed, series, sorted};

pub async fn is_newest_first_or_oldest_first(store: &dyn ReadingStore) {
    let readings = series("someone", 12);
    let shuffled: Vec<_> = (0..12)
        .map(|index| readings[index * 7 % 12].clone())
        .collect();
    put_all(store, &shuffled).await;
    let descending = ListQuery {
        order: Order::Desc,
        ..all_of("someone")
    };
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
    assert_eq!(list(store, &descending).await.readings, reversed(readings));
}

pub async fn follows_the_instant_and_not_its_spelling(store: &dyn ReadingStore) {
    let readings = [
        "1969-12-31T23:00:00-01:00",
        "1970-01-01T00:00:00.001Z",
        "2024-03-31T03:30:00+14:00",
        "2024-03-30T10:00:00-05:00",
        "2024-03-30T15:00:01Z",
        "2024-03-30T23:30:00+08:00",
    ]
    .map(|timestamp| reading(measurement("someone", timestamp)));
    put_all(store, &reversed(readings.to_vec())).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn of_one_instant_is_the_same_both_ways(store: &dyn ReadingStore) {
    let readings = ["steps", "heart_rate", "weight", "a", "Z.z:z-z"].map(|data_type| {
        reading(Measurement {
            data_type: data_type.parse().unwrap(),
            ..measurement("someone", "2024-01-15T10:30:00Z")
        })
    });
    put_all(store, &readings).await;
    let descending = ListQuery {
        order: Order::Desc,
        ..all_of("someone")
    };
    let expected = sorted(readings);
    assert_eq!(list(store, &all_of("someone")).await.readings, expected);
    assert_eq!(list(store, &descending).await.readings, reversed(expected));
}

pub async fn of_one_millisecond_is_that_of_the_ids(store: &dyn ReadingStore) {
    let readings: Vec<_> = (0..20)
        .map(|index| {
            let timestamp = format!("2024-01-15T10:30:00.123{:06}Z", index * 50_000);
            reading(measurement("someone", &timestamp))
        })
        .collect();
    put_all(store, &readings).await;
    assert_eq!(
        list(store, &all_of("someone")).await.readings,
        sorted(readings)
    );
}
