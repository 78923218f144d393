use clarity_backend::domain::{Measurement, Reading, RecordVersion};
use clarity_backend::store::{PutResult, ReadingStore};

use super::{held, list, put, put_all};
use crate::samples::{again, all_of, client_record, measurement, reading};

/// A state of the one record that these cases are about.
fn state(version: u64, value: &str) -> Reading {
    reading(Measurement {
        value: value.parse().unwrap(),
        client_record: client_record("sample-1", version),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    })
}

async fn assert_only(store: &dyn ReadingStore, expected: &Reading) {
    assert_eq!(held(store, expected).await.as_ref(), Some(expected));
    let all = list(store, &all_of("someone")).await.readings;
    assert_eq!(all, std::slice::from_ref(expected));
}

pub async fn of_a_higher_version_replace(store: &dyn ReadingStore) {
    put(store, &state(0, "70")).await;
    let mut higher = again(&state(3, "80"));
    higher.measurement.unit = Some("/min".parse().unwrap());
    assert_eq!(put(store, &higher).await, PutResult::Stored(higher.clone()));
    assert_only(store, &higher).await;
    // Also one that says the same otherwise.
    let highest = again(&state(4, "80"));
    assert_eq!(
        put(store, &highest).await,
        PutResult::Stored(highest.clone())
    );
    assert_only(store, &highest).await;
}

pub async fn of_the_same_version_replace_if_they_differ(store: &dyn ReadingStore) {
    put(store, &state(2, "70")).await;
    let other = again(&state(2, "71"));
    assert_eq!(put(store, &other).await, PutResult::Stored(other.clone()));
    assert_only(store, &other).await;
}

pub async fn of_the_same_version_and_content_change_nothing(store: &dyn ReadingStore) {
    let first = state(2, "70");
    put(store, &first).await;
    assert_eq!(
        put(store, &again(&first)).await,
        PutResult::Stored(first.clone())
    );
    assert_only(store, &first).await;
}

pub async fn of_a_lower_version_are_superseded(store: &dyn ReadingStore) {
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

pub async fn have_versions_up_to_the_highest(store: &dyn ReadingStore) {
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

pub async fn of_one_id_at_other_times_are_others(store: &dyn ReadingStore) {
    let readings = ["2024-01-15T10:30:00Z", "2024-01-15T10:31:00Z"].map(|moment| {
        reading(Measurement {
            client_record: client_record("!~#sample/1", 1),
            ..measurement("someone", moment)
        })
    });
    put_all(store, &readings).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}
