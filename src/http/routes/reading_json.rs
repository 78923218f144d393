//! JSON of readings, in requests and responses.

use std::{fmt, iter};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::{
    ClientRecord, Measurement, MeasurementTime, Metadata, Reading, ReadingId, RecordVersion,
    UserId, ValidationError,
};
use crate::http::extract::{RequestBody, parse_object};
use crate::http::problem::{ApiError, ValidationErrors, text};

/// Reading to create. Unknown members are rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReading)]
pub struct NewReading<'a> {
    /// Id of the user who owns the reading.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    user_id: Option<&'a RawValue>,
    /// Name of the measured quantity. Any name is allowed; known ones get units
    /// and statistics that fit.
    #[serde(borrow)]
    #[schema(
        value_type = String, required, min_length = 1, max_length = 64,
        pattern = "^[A-Za-z][A-Za-z0-9._:-]*$", example = "heart_rate"
    )]
    data_type: Option<&'a RawValue>,
    /// Measured value: 0, or of magnitude 1e-130 to 9.9e125.
    #[serde(borrow)]
    #[schema(value_type = f64, required, minimum = -9.9e125, maximum = 9.9e125, example = 72)]
    value: Option<&'a RawValue>,
    /// Time of measurement, as an RFC 3339 date-time with any offset; UTC if it has
    /// none. From 1970 to one day in the future.
    #[serde(borrow)]
    #[schema(value_type = String, required, format = DateTime, example = "2024-01-15T10:30:00Z")]
    timestamp: Option<&'a RawValue>,
    /// Unit of the value, as a UCUM code.
    #[serde(borrow)]
    #[schema(
        value_type = Option<String>, min_length = 1, max_length = 32,
        pattern = "^[!-~]+$", example = "/min"
    )]
    unit: Option<&'a RawValue>,
    /// Arbitrary JSON object, at most 16 levels deep and 16 KiB in canonical form
    /// (members sorted, no white space). Member names must be non-empty and
    /// unique. Numbers are stored as 64-bit integers, or as doubles within the
    /// bounds of `value`; send larger integers as strings.
    #[serde(borrow)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<&'a RawValue>,
    /// Client's own id of the reading, which lets the client replace it later.
    #[serde(borrow)]
    #[schema(
        value_type = Option<String>, min_length = 1, max_length = 128,
        pattern = "^[!-~]+$", example = "7A0C-0001"
    )]
    client_record_id: Option<&'a RawValue>,
    /// Version of the client record. A version that is higher than or equal to
    /// the stored one replaces it. Requires `client_record_id`; 0 by default.
    #[serde(borrow)]
    #[schema(value_type = Option<u64>, minimum = 0, maximum = 9007199254740991_u64, example = 0)]
    client_record_version: Option<&'a RawValue>,
}

impl RequestBody for Measurement {
    const READINGS_PER_USER: u64 = 1;

    fn parse(json: &[u8], now: Timestamp) -> Result<Self, ApiError> {
        parse_object::<NewReading<'_>>(json)?
            .validate(now)
            .map_err(ApiError::Invalid)
    }

    fn users(&self) -> impl Iterator<Item = &UserId> {
        iter::once(&self.user_id)
    }
}

impl NewReading<'_> {
    /// Validates all members.
    fn validate(self, now: Timestamp) -> Result<Measurement, ValidationErrors> {
        let mut errors = ValidationErrors::default();
        let user_id = errors.required("/user_id", self.user_id, |json| text(json)?.parse());
        let data_type = errors.required("/data_type", self.data_type, |json| text(json)?.parse());
        let value = errors.required("/value", self.value, str::parse);
        let timestamp = errors.required("/timestamp", self.timestamp, |json| {
            MeasurementTime::parse(&text(json)?, now)
        });
        let unit = errors.optional("/unit", self.unit, |json| text(json)?.parse());
        let metadata = errors.optional("/metadata", self.metadata, Metadata::parse);
        let record_id = errors.optional("/client_record_id", self.client_record_id, |json| {
            text(json)?.parse()
        });
        let version = errors.optional(
            "/client_record_version",
            self.client_record_version,
            record_version,
        );
        if self.client_record_version.is_some() && self.client_record_id.is_none() {
            errors.push("/client_record_version", "requires client_record_id");
        }
        match (user_id, data_type, value, timestamp) {
            (Some(user_id), Some(data_type), Some(value), Some(timestamp))
                if errors.as_slice().is_empty() =>
            {
                Ok(Measurement {
                    user_id,
                    data_type,
                    value,
                    timestamp,
                    unit,
                    metadata: metadata.unwrap_or_default(),
                    client_record: record_id.map(|id| ClientRecord {
                        id,
                        version: version.unwrap_or_default(),
                    }),
                })
            }
            _ => Err(errors),
        }
    }
}

fn record_version(json: &str) -> Result<RecordVersion, ValidationError> {
    let version = json.parse().ok().or_else(|| integer(json.parse().ok()?));
    // What does not fit a `u64` exceeds the maximum too.
    RecordVersion::try_from(version.unwrap_or(u64::MAX))
}

/// Converts a number without fraction, such as 2.0, which JSON Schema considers
/// an integer (2020-12, validation, section 6.1.1).
fn integer(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the comparison below detects what the cast changes"
    )]
    let integer = number as u64;
    #[expect(
        clippy::cast_precision_loss,
        clippy::float_cmp,
        reason = "an exact comparison is meant"
    )]
    let is_integer = integer as f64 == number;
    is_integer.then_some(integer)
}

/// Stored reading of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = Reading)]
pub struct ReadingResponse<'a> {
    /// Id of the reading, a version 8 UUID that sorts by time of measurement.
    #[schema(value_type = String, format = Uuid, example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    data_id: ReadingId,
    /// Id of the user who owns the reading.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// Name of the measured quantity.
    #[schema(example = "heart_rate")]
    data_type: &'a str,
    /// Measured value, a double.
    #[schema(example = 72.0)]
    value: f64,
    /// Time of measurement with the offset that was sent, `Z` if none was.
    #[serde(serialize_with = "serialize_display")]
    #[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00Z")]
    timestamp: MeasurementTime,
    /// Unit of the value, as a UCUM code, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/min")]
    unit: Option<&'a str>,
    /// JSON object that was sent with the reading, empty by default.
    #[schema(value_type = Object, example = json!({"device": "watch"}))]
    metadata: &'a Metadata,
    /// Client's own id of the reading, if one was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7A0C-0001")]
    client_record_id: Option<&'a str>,
    /// Version of the client record; present with `client_record_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0)]
    client_record_version: Option<u64>,
    /// Time at which the service stored the reading.
    #[serde(serialize_with = "serialize_millis")]
    #[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:02.417Z")]
    created_at: Timestamp,
}

fn serialize_display<T: fmt::Display, S: Serializer>(
    shown: T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&shown)
}

fn serialize_millis<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}

impl<'a> From<&'a Reading> for ReadingResponse<'a> {
    fn from(reading: &'a Reading) -> Self {
        let measurement = &reading.measurement;
        let record = measurement.client_record.as_ref();
        Self {
            data_id: reading.id,
            user_id: measurement.user_id.as_str(),
            data_type: measurement.data_type.as_str(),
            value: measurement.value.get(),
            timestamp: measurement.timestamp,
            unit: measurement.unit.as_ref().map(|unit| unit.as_str()),
            metadata: &measurement.metadata,
            client_record_id: record.map(|record| record.id.as_str()),
            client_record_version: record.map(|record| record.version.get()),
            created_at: reading.created_at,
        }
    }
}
