use clarity_backend::domain::Reading;
use clarity_backend::store::{ReadBudget, ReadingStore, read_newest};

use super::super::store_all;
use crate::samples::{reversed, series, user};

fn readings(readings: usize) -> ReadBudget {
    ReadBudget {
        readings,
        metadata_bytes: usize::MAX,
    }
}

fn whole(reading: Reading) -> Reading {
    reading
}

pub async fn fewer_readings_than_the_budget_are_complete(store: &dyn ReadingStore) {
    let stored = series("someone", 5);
    store_all(store, &stored).await;
    for most in [5, 6, 5_000] {
        let newest = read_newest(store, &user("someone"), readings(most), whole)
            .await
            .unwrap();
        assert_eq!(newest.items, reversed(stored.clone()));
        assert!(newest.complete);
    }
}

pub async fn budget_keeps_the_newest_readings(store: &dyn ReadingStore) {
    let stored = series("someone", 5);
    store_all(store, &stored).await;
    let descending = reversed(stored);
    for most in [1, 4] {
        let newest = read_newest(store, &user("someone"), readings(most), whole)
            .await
            .unwrap();
        assert!(newest.items.len() >= most);
        assert!(descending.starts_with(&newest.items));
        assert_eq!(newest.complete, newest.items.len() == descending.len());
    }
}

pub async fn several_pages_are_read(store: &dyn ReadingStore) {
    let stored = series("someone", 1_001);
    store_all(store, &stored).await;
    let descending = reversed(stored);
    for (most, count) in [(1_000, 1_000), (1_001, 1_001), (2_000, 1_001)] {
        let newest = read_newest(store, &user("someone"), readings(most), whole)
            .await
            .unwrap();
        assert!(newest.items == descending[..count], "{most}");
        assert_eq!(newest.complete, count == descending.len(), "{most}");
    }
}

pub async fn unknown_user_has_no_readings(store: &dyn ReadingStore) {
    store_all(store, &series("someone", 2)).await;
    let newest = read_newest(store, &user("nobody"), readings(10), whole)
        .await
        .unwrap();
    assert!(newest.items.is_empty());
    assert!(newest.complete);
}

pub async fn readings_are_mapped(store: &dyn ReadingStore) {
    store_all(store, &series("someone", 3)).await;
    let value = |reading: Reading| reading.measurement.value.get();
    let newest = read_newest(store, &user("someone"), readings(10), value)
        .await
        .unwrap();
    assert_eq!(newest.items, [2.0, 1.0, 0.0]);
    assert!(newest.complete);
}

pub async fn large_metadata_exhausts_the_budget(store: &dyn ReadingStore) {
    store_all(store, &series("someone", 1_001)).await;
    let budget = ReadBudget {
        readings: usize::MAX,
        metadata_bytes: 1,
    };
    let newest = read_newest(store, &user("someone"), budget, whole)
        .await
        .unwrap();
    assert_eq!(newest.items.len(), 1_000);
    assert!(!newest.complete);
}
