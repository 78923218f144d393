use clarity_backend::domain::{Measurement, Reading, RecordVersion};
use clarity_backend::store::{PutResult, ReadingStore};

use super::{list, put, store_all, stored};
use crate::samples::{again, all_of, client_record, measurement, reading};

/// A version of the record that these cases use.
fn state(version: u64, value: &str) -> Reading {
    reading(Measurement {
        value: value.parse().unwrap(),
        client_record: client_record("sample-1", version),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    })
}

async fn assert_only(store: &dyn ReadingStore, expected: &Reading) {
    assert_eq!(stored(store, expected).await.as_ref(), Some(expected));
    let all = list(store, &all_of("someone")).await.readings;
    assert_eq!(all, std::slice::from_ref(expected));
}

pub async fn higher_version_replaces(store: &dyn ReadingStore) {
    put(store, &state(0, "70")).await;
    let mut higher = again(&state(3, "80"));
    higher.measurement.unit = Some("/min".parse().unwrap());
    assert_eq!(put(store, &higher).await, PutResult::Stored(higher.clone()));
    assert_only(store, &higher).await;
    // Also with the same content in another notation.
    let highest = again(&state(4, "80"));
    assert_eq!(
        put(store, &highest).await,
        PutResult::Stored(highest.clone())
    );
    assert_only(store, &highest).await;
}

pub async fn same_version_with_other_content_replaces(store: &dyn ReadingStore) {
    put(store, &state(2, "70")).await;
    let other = again(&state(2, "71"));
    assert_eq!(put(store, &other).await, PutResult::Stored(other.clone()));
    assert_only(store, &other).await;
}

pub async fn same_version_and_content_changes_nothing(store: &dyn ReadingStore) {
    let first = state(2, "70");
    put(store, &first).await;
    assert_eq!(
        put(store, &again(&first)).await,
        PutResult::Stored(first.clone())
    );
    assert_only(store, &first).await;
}

pub async fn lower_version_is_superseded(store: &dyn ReadingStore) {
    let higher = state(10, "80");
    put(store, &higher).await;
    for lower in [state(9, "70"), state(9, "80"), state(0, "1")] {
        assert_eq!(
            put(store, &again(&lower)).await,
            PutResult::Superseded(higher.clone())
        );
        assert_only(store, &higher).await;
    }
}

pub async fn maximum_version_is_accepted(store: &dyn ReadingStore) {
    let highest = RecordVersion::MAX;
    for version in [0, 9, 10, 1 << 32, highest - 1, highest] {
        let state = state(version, "70");
        assert_eq!(put(store, &state).await, PutResult::Stored(state.clone()));
        assert_only(store, &state).await;
    }
    assert_eq!(
        put(store, &state(highest - 1, "80")).await,
        PutResult::Superseded(state(highest, "70"))
    );
}

pub async fn same_record_id_at_another_time_is_another_reading(store: &dyn ReadingStore) {
    let readings = ["2024-01-15T10:30:00Z", "2024-01-15T10:31:00Z"].map(|moment| {
        reading(Measurement {
            client_record: client_record("!~#sample/1", 1),
            ..measurement("someone", moment)
        })
    });
    store_all(store, &readings).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}
