use clarity_backend::domain::Reading;
use clarity_backend::store::{PutResult, ReadingStore};

use super::{list, put, store_all, stored};
use crate::samples::{again, all_of, measurement, reading, series};

async fn delete(store: &dyn ReadingStore, reading: &Reading) -> bool {
    store
        .delete(&reading.measurement.user_id, reading.id)
        .await
        .unwrap()
}

pub async fn delete_returns_whether_the_reading_existed(store: &dyn ReadingStore) {
    let reading = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &reading).await;
    assert!(delete(store, &reading).await);
    assert_eq!(stored(store, &reading).await, None);
    assert!(!delete(store, &reading).await);
}

pub async fn delete_affects_only_its_reading(store: &dyn ReadingStore) {
    let mut readings = series("someone", 5);
    store_all(store, &readings).await;
    let gone = readings.remove(2);
    assert!(delete(store, &gone).await);
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn delete_of_a_missing_reading_returns_false(store: &dyn ReadingStore) {
    let reading = reading(measurement("nobody", "2024-01-15T10:30:00Z"));
    assert!(!delete(store, &reading).await);
}

pub async fn deleted_reading_can_be_stored_again(store: &dyn ReadingStore) {
    let first = reading(measurement("someone", "2024-01-15T10:30:00Z"));
    put(store, &first).await;
    assert!(delete(store, &first).await);
    let second = again(&first);
    assert_eq!(put(store, &second).await, PutResult::Stored(second.clone()));
    assert_eq!(stored(store, &second).await, Some(second));
}
