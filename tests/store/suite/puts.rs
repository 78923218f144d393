use clarity_backend::domain::Measurement;
use clarity_backend::store::{PutResult, ReadingStore};

use super::{held, list, put, put_all};
use crate::samples::{again, all_of, measurement, reading, sorted, time};

pub async fn give_back_what_is_held(store: &dyn ReadingStore) {
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    assert_eq!(held(store, &reading).await, None);
    assert_eq!(
        put(store, &reading).await,
        PutResult::Stored(reading.clone())
    );
    assert_eq!(held(store, &reading).await, Some(reading));
}

pub async fn of_the_same_again_change_nothing(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    let second = again(&first);
    assert_ne!(second.created_at, first.created_at);
    assert_eq!(
        put(store, &second).await,
        PutResult::Stored(first.clone()),
        "the answer is what is held"
    );
    assert_eq!(list(store, &all_of("someone")).await.readings, [first]);
}

pub async fn of_the_same_in_another_spelling_change_nothing(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    let same = reading(Measurement {
        timestamp: time("2024-01-15T11:30:00.000+01:00"),
        ..first.measurement.clone()
    });
    assert_eq!(put(store, &same).await, PutResult::Stored(first.clone()));
    assert_eq!(held(store, &same).await, Some(first));
}

pub async fn of_other_content_at_the_same_time_add_a_reading(store: &dyn ReadingStore) {
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
    put_all(store, &readings).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}
