use clarity_backend::store::ReadingStore;

use super::put;
use crate::samples::{measurement, reading};

pub async fn new_store_is_ready(store: &dyn ReadingStore) {
    store.check().await.unwrap();
    put(
        store,
        &reading(measurement("someone", "2024-01-15T10:30:00Z")),
    )
    .await;
    store.check().await.unwrap();
}
