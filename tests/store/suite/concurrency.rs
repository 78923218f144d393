use clarity_backend::domain::{Measurement, Reading};
use clarity_backend::store::{PutResult, ReadingStore, StoreError};
use jiff::SignedDuration;

use super::{list, put, stored};
use crate::concurrency::run_concurrently;
use crate::samples::{FIRST, all_of, client_record, instant, measurement, series};

async fn put_at_once(store: &dyn ReadingStore, readings: &[Reading]) -> Vec<PutResult> {
    let outcomes =
        run_concurrently(readings.iter().map(|reading| store.put(reading.clone()))).await;
    outcomes
        .into_iter()
        .collect::<Result<_, StoreError>>()
        .unwrap()
}

/// The reading as received by the `index`th of many concurrent requests.
fn received(measurement: Measurement, index: u32) -> Reading {
    let moment = instant(FIRST) + SignedDuration::from_secs(index.into());
    Reading::accept(measurement, moment)
}

fn state(version: u64, value: u32) -> Measurement {
    Measurement {
        value: f64::from(value).try_into().unwrap(),
        client_record: client_record("sample-1", version),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    }
}

pub async fn concurrent_distinct_puts_are_all_stored(store: &dyn ReadingStore) {
    let readings = series("someone", 64);
    let outcomes = put_at_once(store, &readings).await;
    for (outcome, reading) in outcomes.into_iter().zip(&readings) {
        assert_eq!(outcome, PutResult::Stored(reading.clone()));
    }
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn concurrent_puts_of_one_reading_store_it_once(store: &dyn ReadingStore) {
    let readings: Vec<_> = (0..32)
        .map(|index| received(measurement("someone", "2024-01-15T10:30:00Z"), index))
        .collect();
    let outcomes = put_at_once(store, &readings).await;
    let stored = stored(store, &readings[0]).await.unwrap();
    assert!(readings.contains(&stored));
    for outcome in outcomes {
        assert_eq!(outcome, PutResult::Stored(stored.clone()));
    }
    assert_eq!(list(store, &all_of("someone")).await.readings, [stored]);
}

pub async fn concurrent_versions_end_with_the_highest(store: &dyn ReadingStore) {
    let readings: Vec<_> = (0..32_u32)
        .map(|index| {
            let version = index * 13 % 32;
            received(state(version.into(), version), index)
        })
        .collect();
    let outcomes = put_at_once(store, &readings).await;
    let highest = readings
        .iter()
        .max_by_key(|reading| reading.version())
        .unwrap();
    assert_eq!(stored(store, highest).await.as_ref(), Some(highest));
    for (outcome, reading) in outcomes.iter().zip(&readings) {
        match outcome {
            PutResult::Stored(stored) => assert_eq!(stored, reading),
            PutResult::Superseded(by) => assert!(by.version() > reading.version()),
        }
    }
    assert_eq!(
        put(store, highest).await,
        PutResult::Stored(highest.clone())
    );
}

pub async fn concurrent_contents_of_one_version_end_with_one_of_them(store: &dyn ReadingStore) {
    let readings: Vec<_> = (0..32)
        .map(|index| received(state(1, index), index))
        .collect();
    let outcomes = put_at_once(store, &readings).await;
    let stored = stored(store, &readings[0]).await.unwrap();
    assert!(readings.contains(&stored));
    for (outcome, reading) in outcomes.into_iter().zip(&readings) {
        assert_eq!(outcome, PutResult::Stored(reading.clone()));
    }
}

pub async fn one_of_concurrent_deletes_succeeds(store: &dyn ReadingStore) {
    let reading = received(measurement("someone", "2024-01-15T10:30:00Z"), 0);
    put(store, &reading).await;
    let user_id = &reading.measurement.user_id;
    let outcomes = run_concurrently((0..16).map(|_| store.delete(user_id, reading.id))).await;
    let successes = outcomes
        .into_iter()
        .filter(|outcome| *outcome.as_ref().unwrap());
    assert_eq!(successes.count(), 1);
}
