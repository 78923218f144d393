//! Encoding of readings in the file.
//!
//! The key is the user id, a zero byte, and the 16 bytes of the reading id. User ids
//! contain no zero byte, so users cannot mix. In the index by type, the data type and
//! another zero byte precede the reading id. The value is the rest of the reading in
//! `postcard` encoding, preceded by its version.

use std::ops::Range;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    ClientRecord, DataType, Measurement, MeasurementTime, MeasurementTimeParts, Metadata, Reading,
    ReadingId, ReadingValue, RecordVersion, UserId, ValidationError,
};
use crate::store::StoreError;

const SEPARATOR: u8 = 0;
const ID_BYTES: usize = 16;

/// Versions of the encoding. `postcard` encodes the position, so new versions go last.
#[derive(Serialize, Deserialize)]
enum StoredRecord<'a> {
    V1(#[serde(borrow)] RecordV1<'a>),
}

#[derive(Serialize, Deserialize)]
struct RecordV1<'a> {
    data_type: &'a str,
    value: f64,
    timestamp: MeasurementTimeParts,
    unit: Option<&'a str>,
    metadata: &'a str,
    client_record: Option<(&'a str, u64)>,
    created_at_milliseconds: i64,
}

/// Returns the key of a reading, or of a bound of a range of ids.
pub(super) fn key(user_id: &UserId, id: &[u8; ID_BYTES]) -> Vec<u8> {
    let user_id = user_id.as_str().as_bytes();
    let mut key = Vec::with_capacity(user_id.len() + 1 + ID_BYTES);
    key.extend_from_slice(user_id);
    key.push(SEPARATOR);
    key.extend_from_slice(id);
    key
}

/// Returns the index key of a reading, or of a bound of a range of ids.
pub(super) fn type_key(user_id: &UserId, data_type: &DataType, id: &[u8; ID_BYTES]) -> Vec<u8> {
    type_key_of_parts(
        user_id.as_str().as_bytes(),
        data_type.as_str().as_bytes(),
        id,
    )
}

fn type_key_of_parts(user_id: &[u8], data_type: &[u8], id: &[u8; ID_BYTES]) -> Vec<u8> {
    let mut key = Vec::with_capacity(user_id.len() + data_type.len() + 2 + ID_BYTES);
    key.extend_from_slice(user_id);
    key.push(SEPARATOR);
    key.extend_from_slice(data_type);
    key.push(SEPARATOR);
    key.extend_from_slice(id);
    key
}

/// Returns the index key of the record with `key` and `value`.
pub(super) fn type_key_of_entry(key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreError> {
    let StoredRecord::V1(record) = postcard::from_bytes(value).map_err(StoreError::corrupt)?;
    match key.split_last_chunk::<ID_BYTES>() {
        Some(([user_id @ .., SEPARATOR], id)) => {
            Ok(type_key_of_parts(user_id, record.data_type.as_bytes(), id))
        }
        _ => Err(StoreError::corrupt("a key is malformed")),
    }
}

/// Returns the range of all of a user's keys, in the table or in the index.
pub(super) fn user_key_range(user_id: &UserId) -> Range<Vec<u8>> {
    let bound = |end: u8| [user_id.as_str().as_bytes(), &[end]].concat();
    bound(SEPARATOR)..bound(SEPARATOR + 1)
}

/// Returns the id at the end of a key.
pub(super) fn id_of_key(key: &[u8]) -> Result<ReadingId, StoreError> {
    let id = key
        .last_chunk::<ID_BYTES>()
        .ok_or_else(|| StoreError::corrupt("a key is malformed"))?;
    ReadingId::from_bytes(*id).map_err(StoreError::corrupt)
}

/// Encodes the value of a reading.
pub(super) fn encode(reading: &Reading) -> Result<Vec<u8>, StoreError> {
    let measurement = &reading.measurement;
    let record = StoredRecord::V1(RecordV1 {
        data_type: measurement.data_type.as_str(),
        value: measurement.value.get(),
        timestamp: measurement.timestamp.parts(),
        unit: measurement.unit.as_ref().map(|unit| unit.as_str()),
        metadata: measurement.metadata.as_str(),
        client_record: measurement
            .client_record
            .as_ref()
            .map(|record| (record.id.as_str(), record.version.get())),
        created_at_milliseconds: reading.created_at.as_millisecond(),
    });
    postcard::to_allocvec(&record).map_err(StoreError::corrupt)
}

/// Decodes a reading. Shares strings with `neighbour` where they are equal, as they
/// mostly are in consecutive readings.
pub(super) fn decode(
    user_id: &UserId,
    id: ReadingId,
    value: &[u8],
    neighbour: Option<&Reading>,
) -> Result<Reading, StoreError> {
    let StoredRecord::V1(record) = postcard::from_bytes(value).map_err(StoreError::corrupt)?;
    record
        .into_reading(user_id, id, neighbour)
        .map_err(StoreError::corrupt)
}

impl RecordV1<'_> {
    fn into_reading(
        self,
        user_id: &UserId,
        id: ReadingId,
        neighbour: Option<&Reading>,
    ) -> Result<Reading, ValidationError> {
        let invalid_time = || ValidationError::new("has an invalid time");
        let neighbour = neighbour.map(|reading| &reading.measurement);
        let same_type =
            neighbour.filter(|neighbour| neighbour.data_type.as_str() == self.data_type);
        let same_metadata =
            neighbour.filter(|neighbour| neighbour.metadata.as_str() == self.metadata);
        let neighbours_unit = neighbour.and_then(|neighbour| neighbour.unit.as_ref());
        Ok(Reading {
            id,
            created_at: Timestamp::from_millisecond(self.created_at_milliseconds)
                .map_err(|_| invalid_time())?,
            measurement: Measurement {
                user_id: user_id.clone(),
                data_type: match same_type {
                    Some(neighbour) => neighbour.data_type.clone(),
                    None => self.data_type.parse()?,
                },
                value: ReadingValue::try_from(self.value)?,
                timestamp: MeasurementTime::from_parts(self.timestamp).ok_or_else(invalid_time)?,
                unit: match (self.unit, neighbours_unit) {
                    (None, _) => None,
                    (Some(unit), Some(same)) if same.as_str() == unit => Some(same.clone()),
                    (Some(unit), _) => Some(unit.parse()?),
                },
                metadata: match same_metadata {
                    Some(neighbour) => neighbour.metadata.clone(),
                    None => Metadata::from_canonical(self.metadata.to_owned())?,
                },
                client_record: match self.client_record {
                    None => None,
                    Some((id, version)) => Some(ClientRecord {
                        id: id.parse()?,
                        version: RecordVersion::try_from(version)?,
                    }),
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Reading {
        let measurement = Measurement {
            user_id: "user123".parse().unwrap(),
            data_type: "heart_rate".parse().unwrap(),
            value: "72.5".parse().unwrap(),
            timestamp: MeasurementTime::parse_any("2024-01-15T10:30:00.250+01:00").unwrap(),
            unit: Some("/min".parse().unwrap()),
            metadata: Metadata::parse(r#"{"a":1}"#).unwrap(),
            client_record: Some(ClientRecord {
                id: "r".parse().unwrap(),
                version: 7.try_into().unwrap(),
            }),
        };
        Reading::accept(measurement, "2024-06-01T12:00:00.5Z".parse().unwrap())
    }

    /// Existing files contain these bytes: a change is a new version.
    #[test]
    fn encoding_is_stable() {
        let reading = sample();
        let bytes = encode(&reading).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "000a68656172745f726174650000000000205240b0eca7da0c80e59a7701a0380301042f6d696e077b2261223a317d01017207e88fdebafa63"
        );
        let user_id = &reading.measurement.user_id;
        assert_eq!(decode(user_id, reading.id, &bytes, None).unwrap(), reading);
    }

    #[test]
    fn neighbour_does_not_affect_decoding() {
        let sample = sample();
        let with_type = |data_type: &str| {
            let mut other = sample.clone();
            other.measurement.data_type = data_type.parse().unwrap();
            other
        };
        let with_unit = |unit: Option<&str>| {
            let mut other = sample.clone();
            other.measurement.unit = unit.map(|unit| unit.parse().unwrap());
            other
        };
        let with_metadata = |metadata: &str| {
            let mut other = sample.clone();
            other.measurement.metadata = Metadata::parse(metadata).unwrap();
            other
        };
        let readings = [
            sample.clone(),
            with_type("heart_rat"),
            with_type("heart_rate_"),
            with_unit(None),
            with_unit(Some("/h")),
            with_metadata("{}"),
            with_metadata(r#"{"a":2}"#),
        ];
        for reading in &readings {
            let bytes = encode(reading).unwrap();
            for neighbour in &readings {
                let user_id = &reading.measurement.user_id;
                let decoded = decode(user_id, reading.id, &bytes, Some(neighbour)).unwrap();
                assert_eq!(&decoded, reading);
            }
        }
    }
}
