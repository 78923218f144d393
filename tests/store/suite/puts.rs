use clarity_backend::domain::Measurement;
use clarity_backend::store::{PutResult, ReadingStore};

use super::{list, put, store_all, stored};
use crate::samples::{again, all_of, measurement, reading, sorted, time};

pub async fn put_returns_the_stored_reading(store: &dyn ReadingStore) {
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    assert_eq!(stored(store, &reading).await, None);
    assert_eq!(
        put(store, &reading).await,
        PutResult::Stored(reading.clone())
    );
    assert_eq!(stored(store, &reading).await, Some(reading));
}

pub async fn replayed_put_changes_nothing(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    let second = again(&first);
    assert_ne!(second.created_at, first.created_at);
    assert_eq!(
        put(store, &second).await,
        PutResult::Stored(first.clone()),
        "the answer is what is stored"
    );
    assert_eq!(list(store, &all_of("someone")).await.readings, [first]);
}

pub async fn put_in_another_notation_changes_nothing(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    let same = reading(Measurement {
        timestamp: time("2024-01-15T11:30:00.000+01:00"),
        ..first.measurement.clone()
    });
    assert_eq!(put(store, &same).await, PutResult::Stored(first.clone()));
    assert_eq!(stored(store, &same).await, Some(first));
}

pub async fn put_of_other_content_at_the_same_time_adds_a_reading(store: &dyn ReadingStore) {
    let one = measurement("someone", "2024-01-15T10:30:00Z");
    let readings = sorted(
        [
            one.clone(),
            Measurement {
                value: "73".parse().unwrap(),
                ..one.clone()
            },
            Measurement {
                unit: Some("/min".parse().unwrap()),
                ..one.clone()
            },
            Measurement {
                data_type: "steps".parse().unwrap(),
                ..one
            },
        ]
        .map(reading),
    );
    store_all(store, &readings).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}
