use clarity_backend::domain::{Measurement, Reading};
use clarity_backend::store::{BatchPutStatus, ReadingStore, put_batch};

use super::{put, stored, walk};
use crate::samples::{
    LATER, again, all_of, client_record, instant, measurement, reading, series, sorted,
};

const MOMENT: &str = "2024-01-15T10:30:00Z";

/// Returns the statuses of a batch that must not fail.
async fn outcomes(store: &dyn ReadingStore, readings: Vec<Reading>) -> Vec<BatchPutStatus> {
    let outcomes = put_batch(store, readings).await;
    outcomes.into_iter().map(Result::unwrap).collect()
}

fn record(version: u64, value: f64) -> Reading {
    reading(Measurement {
        value: value.try_into().unwrap(),
        client_record: client_record("r", version),
        ..measurement("someone", MOMENT)
    })
}

pub async fn batch_is_stored_completely(store: &dyn ReadingStore) {
    // Exceeds one DynamoDB call, with records in between.
    let readings: Vec<Reading> = (0_u32..)
        .zip(series("someone", 260))
        .map(|(index, one)| {
            reading(Measurement {
                client_record: (index % 9 == 0)
                    .then(|| client_record(&index.to_string(), 1))
                    .flatten(),
                ..one.measurement
            })
        })
        .collect();
    let others = series("someone.else", 3);
    let batch = [readings.clone(), others.clone()].concat();
    assert_eq!(
        outcomes(store, batch).await,
        vec![BatchPutStatus::Stored; 263]
    );
    assert_eq!(walk(store, all_of("someone")).await, sorted(readings));
    assert_eq!(walk(store, all_of("someone.else")).await, others);
}

pub async fn replayed_batch_changes_nothing(store: &dyn ReadingStore) {
    let readings = series("someone", 130);
    // A part is stored already.
    put(store, &readings[40]).await;
    let mut expected = vec![BatchPutStatus::Stored; 130];
    expected[40] = BatchPutStatus::Unchanged;
    assert_eq!(outcomes(store, readings.clone()).await, expected);
    let later = readings.iter().map(again).collect();
    for sent in [readings.clone(), later] {
        assert_eq!(
            outcomes(store, sent).await,
            vec![BatchPutStatus::Unchanged; 130]
        );
    }
    assert_eq!(walk(store, all_of("someone")).await, readings);
}

pub async fn empty_batch_does_nothing(store: &dyn ReadingStore) {
    assert_eq!(outcomes(store, Vec::new()).await, []);
}

pub async fn duplicates_in_a_batch_are_folded(store: &dyn ReadingStore) {
    let plain = reading(measurement("someone", MOMENT));
    let batch = vec![
        plain.clone(),
        record(1, 1.0),
        again(&plain),
        record(3, 3.0),
        record(2, 2.0),
        record(3, 3.5),
    ];
    assert_eq!(
        outcomes(store, batch).await,
        [
            BatchPutStatus::Stored,
            BatchPutStatus::Superseded,
            BatchPutStatus::Unchanged,
            BatchPutStatus::Unchanged,
            BatchPutStatus::Superseded,
            BatchPutStatus::Stored
        ]
    );
    assert_eq!(stored(store, &plain).await, Some(plain));
    // Within one version, the later content wins.
    assert_eq!(stored(store, &record(3, 0.0)).await, Some(record(3, 3.5)));
}

pub async fn batch_never_replaces_a_higher_version(store: &dyn ReadingStore) {
    put(store, &record(5, 5.0)).await;
    assert_eq!(
        outcomes(store, vec![record(4, 4.0), record(3, 3.0)]).await,
        [BatchPutStatus::Superseded; 2]
    );
    assert_eq!(stored(store, &record(0, 0.0)).await, Some(record(5, 5.0)));
    let higher = Reading::accept(record(6, 6.0).measurement, instant(LATER));
    assert_eq!(
        outcomes(store, vec![record(4, 4.0), higher.clone()]).await,
        [BatchPutStatus::Superseded, BatchPutStatus::Stored]
    );
    assert_eq!(stored(store, &record(0, 0.0)).await, Some(higher));
}

pub async fn batch_of_maximum_size_is_stored(store: &dyn ReadingStore) {
    let readings = series("someone", 5_000);
    assert_eq!(
        outcomes(store, readings.clone()).await,
        vec![BatchPutStatus::Stored; 5_000]
    );
    assert_eq!(walk(store, all_of("someone")).await, readings);
}
