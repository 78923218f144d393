use clarity_backend::domain::{Measurement, Reading};
use clarity_backend::store::ReadingStore;
use jiff::Timestamp;

use super::{list, store_all, stored};
use crate::samples::{all_of, client_record, measurement, reading, sorted};

const TWO_TO_THE_53: f64 = 9_007_199_254_740_992.0;

async fn assert_come_back(store: &dyn ReadingStore, numbers: &[f64]) {
    let readings = sorted(numbers.iter().map(|number| {
        reading(Measurement {
            value: (*number).try_into().unwrap(),
            ..measurement("someone", "2024-01-15T10:30:00Z")
        })
    }));
    store_all(store, &readings).await;
    let bits = |readings: &[Reading]| -> Vec<u64> {
        readings
            .iter()
            .map(|reading| reading.measurement.value.get().to_bits())
            .collect()
    };
    let listed = list(store, &all_of("someone")).await.readings;
    assert_eq!(bits(&listed), bits(&readings));
    for reading in readings {
        let stored = stored(store, &reading).await.unwrap();
        assert_eq!(bits(&[stored]), bits(&[reading]));
    }
}

pub async fn values_round_trip_exactly(store: &dyn ReadingStore) {
    let numbers = [
        0.0,
        72.0,
        -40.0,
        36.6,
        0.1,
        0.1 + 0.2,
        1.0 / 3.0,
        1e-130,
        -1e-130,
        1e-130_f64.next_up(),
        9.9e125,
        -9.9e125,
        9.9e125_f64.next_down(),
        TWO_TO_THE_53 - 1.0,
        TWO_TO_THE_53,
        TWO_TO_THE_53 + 2.0,
        -TWO_TO_THE_53,
        1e15,
        1e16,
        1e20,
        1e21,
        1e-5,
        1e-6,
        1e-7,
        f64::EPSILON,
        std::f64::consts::PI,
        123_456_789.123_456_78,
    ];
    assert_come_back(store, &numbers).await;
}

/// Numbers of every magnitude, with pseudorandom digits.
pub async fn values_of_many_digits_round_trip_exactly(store: &dyn ReadingStore) {
    let numbers: Vec<_> = (-129..=125)
        .map(|exponent| {
            let digits = 1.0 + f64::from(exponent).sin().abs() * 8.0;
            digits * 10_f64.powi(exponent)
        })
        .collect();
    assert_come_back(store, &numbers).await;
}

pub async fn texts_round_trip(store: &dyn ReadingStore) {
    let longest_unit = "x".repeat(32);
    let longest_type = "t".repeat(64);
    let longest_id = "~".repeat(128);
    let bare = measurement("someone", "2024-01-15T10:30:00Z");
    let readings = sorted(
        [
            bare.clone(),
            Measurement {
                unit: Some("/min".parse().unwrap()),
                data_type: "Blood_pressure:systolic.left-1".parse().unwrap(),
                ..bare.clone()
            },
            Measurement {
                unit: Some("mm[Hg]".parse().unwrap()),
                client_record: client_record("{\"id\":\\1}", 0),
                ..bare.clone()
            },
            Measurement {
                unit: Some(longest_unit.parse().unwrap()),
                data_type: longest_type.parse().unwrap(),
                client_record: client_record(&longest_id, 7),
                ..bare
            },
        ]
        .map(reading),
    );
    store_all(store, &readings).await;
    assert_eq!(list(store, &all_of("someone")).await.readings, readings);
}

pub async fn times_round_trip_in_their_notation(store: &dyn ReadingStore) {
    let texts = [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:00:01-01:00",
        "2024-01-15T10:30:00Z",
        "2024-01-15T10:31:00+00:00",
        "2024-01-15T10:32:00.5+05:45",
        "2024-01-15T10:33:00.500+14:00",
        "2024-01-15T10:34:00.123450-12:00",
        "2024-01-15T10:35:00.000000001Z",
        "2024-01-15T10:36:00.999999999-03:30",
        "2024-01-15T10:37:00.000000000+23:59",
        "2024-02-29T23:59:59.0-23:59",
        "2500-12-31T23:59:59.999Z",
    ];
    for text in texts {
        let reading = reading(measurement("someone", text));
        store_all(store, std::slice::from_ref(&reading)).await;
        let stored = stored(store, &reading).await.unwrap();
        assert_eq!(stored.measurement.timestamp.to_string(), text);
        assert_eq!(stored, reading);
    }
}

pub async fn created_at_round_trips_to_the_millisecond(store: &dyn ReadingStore) {
    for (now, expected) in [
        ("2024-06-01T08:00:00Z", "2024-06-01T08:00:00Z"),
        ("2024-06-01T08:01:00.007Z", "2024-06-01T08:01:00.007Z"),
        ("2024-06-01T08:02:00.999999999Z", "2024-06-01T08:02:00.999Z"),
    ] {
        let reading = Reading::accept(measurement("someone", now), now.parse().unwrap());
        store_all(store, std::slice::from_ref(&reading)).await;
        let stored = stored(store, &reading).await.unwrap();
        assert_eq!(stored.created_at, expected.parse::<Timestamp>().unwrap());
    }
}
