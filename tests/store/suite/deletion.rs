use clarity_backend::domain::Reading;
use clarity_backend::store::{PutResult, ReadingStore};

use super::{held, list, put, put_all};
use crate::samples::{again, all_of, measurement, reading, series};

async fn delete(store: &dyn ReadingStore, reading: &Reading) -> bool {
    store
        .delete(&reading.measurement.user_id, reading.id)
        .await
        .unwrap()
}

pub async fn tells_whether_there_was_one(store: &dyn ReadingStore) {
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &reading).await;
    assert!(delete(store, &reading).await);
    assert_eq!(held(store, &reading).await, None);
    assert!(!delete(store, &reading).await);
}

pub async fn leaves_all_others(store: &dyn ReadingStore) {
    let mut readings = series("someone", 5);
    put_all(store, &readings).await;
    let gone = readings.remove(2);
    assert!(delete(store, &gone).await);
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn of_what_is_not_there_tells_so(store: &dyn ReadingStore) {
    let reading = reading(measurement("nobody", "2024-01-15T10:30:00Z"));
    assert!(!delete(store, &reading).await);
}

pub async fn lets_the_same_come_again_as_new(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    assert!(delete(store, &first).await);
    let second = again(&first);
    assert_eq!(put(store, &second).await, PutResult::Stored(second.clone()));
    assert_eq!(held(store, &second).await, Some(second));
}
