//! Sample readings.

use clarity_backend::domain::{
    ClientRecord, DataTypes, ListQuery, Measurement, MeasurementTime, Metadata, Order, PageSize,
    Reading, TimeRange, UserId,
};
use jiff::{SignedDuration, Timestamp};

/// Value of `created_at` in [`reading`].
pub const FIRST: &str = "2024-06-01T08:00:00.123Z";
/// Value of `created_at` in [`again`].
pub const LATER: &str = "2024-06-02T09:30:00.456Z";

pub fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn time(text: &str) -> MeasurementTime {
    MeasurementTime::parse_any(text).unwrap()
}

/// A measurement without optional fields.
pub fn measurement(user_id: &str, timestamp: &str) -> Measurement {
    Measurement {
        user_id: user(user_id),
        data_type: "heart_rate".parse().unwrap(),
        value: "72".parse().unwrap(),
        timestamp: time(timestamp),
        unit: None,
        metadata: Metadata::default(),
        client_record: None,
    }
}

pub fn reading(measurement: Measurement) -> Reading {
    Reading::accept(measurement, instant(FIRST))
}

/// The same measurement, received later.
pub fn again(reading: &Reading) -> Reading {
    Reading::accept(reading.measurement.clone(), instant(LATER))
}

pub fn client_record(id: &str, version: u64) -> Option<ClientRecord> {
    Some(ClientRecord {
        id: id.parse().unwrap(),
        version: version.try_into().unwrap(),
    })
}

/// Readings at intervals of a minute, oldest first, with values that count up from 0.
pub fn series(user_id: &str, count: u32) -> Vec<Reading> {
    let beginning = instant("2024-05-01T00:00:00Z");
    (0..count)
        .map(|index| {
            let moment = beginning + SignedDuration::from_mins(index.into());
            reading(Measurement {
                value: f64::from(index).try_into().unwrap(),
                ..measurement(user_id, &moment.to_string())
            })
        })
        .collect()
}

/// Sorts as lists do, oldest first.
pub fn sorted(readings: impl IntoIterator<Item = Reading>) -> Vec<Reading> {
    let mut readings: Vec<_> = readings.into_iter().collect();
    readings.sort_by_key(|reading| reading.id);
    readings
}

pub fn reversed(mut readings: Vec<Reading>) -> Vec<Reading> {
    readings.reverse();
    readings
}

/// Query for all of a user's readings, oldest first, in one page.
pub fn all_of(user_id: &str) -> ListQuery {
    ListQuery {
        user_id: user(user_id),
        data_types: DataTypes::default(),
        range: TimeRange::default(),
        order: Order::Asc,
        after: None,
        limit: PageSize::MAX,
    }
}

pub fn page_size(size: u16) -> PageSize {
    size.try_into().unwrap()
}
