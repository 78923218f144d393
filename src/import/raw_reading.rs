use jiff::Timestamp;

use super::record::Rejection;
use crate::domain::{
    ClientRecord, Measurement, MeasurementTime, Metadata, Reading, RecordVersion, UserId,
    ValidationError,
};

/// Settings that apply to every record of an import.
#[derive(Debug, Clone)]
pub struct ImportContext {
    /// Start of the import.
    pub now: Timestamp,
    /// User of the readings that name none.
    pub user_id: Option<UserId>,
}

/// A reading as text, before its validation.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawReading<'a> {
    /// The user.
    pub user_id: Option<&'a str>,
    /// The data type.
    pub data_type: Option<&'a str>,
    /// The number.
    pub value: Option<&'a str>,
    /// Time of the measurement in RFC 3339.
    pub timestamp: Option<&'a str>,
    /// The unit.
    pub unit: Option<&'a str>,
    /// The metadata as a JSON object.
    pub metadata: Option<&'a str>,
    /// The client's own id of the record.
    pub client_record_id: Option<&'a str>,
    /// The version of the client record.
    pub client_record_version: Option<&'a str>,
    /// The id that the reading is expected to have.
    pub data_id: Option<&'a str>,
    /// Time at which the service first stored it, in RFC 3339.
    pub created_at: Option<&'a str>,
}

impl RawReading<'_> {
    /// Validates the reading.
    ///
    /// # Errors
    /// The first invalid or missing member.
    pub fn validate(self, context: &ImportContext) -> Result<Reading, Rejection> {
        let ImportContext { now, user_id } = context;
        let measurement = Measurement {
            user_id: match (self.user_id, user_id) {
                (Some(own), _) => required("user_id", Some(own), str::parse)?,
                (None, Some(user_id)) => user_id.clone(),
                (None, None) => {
                    let reason = "is missing: pass --user";
                    return Err(Rejection::new("user_id", reason));
                }
            },
            data_type: required("data_type", self.data_type, str::parse)?,
            value: required("value", self.value, str::parse)?,
            timestamp: required("timestamp", self.timestamp, |text| {
                MeasurementTime::parse(text, *now)
            })?,
            unit: optional("unit", self.unit, str::parse)?,
            metadata: optional("metadata", self.metadata, Metadata::parse)?.unwrap_or_default(),
            client_record: self.client_record()?,
        };
        let mut reading = Reading::accept(measurement, *now);
        if let Some(created_at) = optional("created_at", self.created_at, parse_time)? {
            reading.created_at = created_at;
        }
        match self.data_id {
            // The id is derived from the content, so it detects any change.
            Some(data_id) if data_id.parse() != Ok(reading.id) => Err(Rejection::new(
                "data_id",
                "does not match this reading, which was changed after its export: remove data_id to import it as it is",
            )),
            _ => Ok(reading),
        }
    }

    fn client_record(self) -> Result<Option<ClientRecord>, Rejection> {
        let id = optional("client_record_id", self.client_record_id, str::parse)?;
        let version = optional(
            "client_record_version",
            self.client_record_version,
            // What exceeds a `u64` also exceeds the limit of a version.
            |text| RecordVersion::try_from(text.parse().unwrap_or(u64::MAX)),
        )?;
        match (id, version) {
            (None, Some(_)) => Err(Rejection::new(
                "client_record_version",
                "requires a client_record_id",
            )),
            (None, None) => Ok(None),
            (Some(id), version) => Ok(Some(ClientRecord {
                id,
                version: version.unwrap_or_default(),
            })),
        }
    }
}

/// Parses a time and rounds it down to the millisecond, the precision that the
/// service stores.
fn parse_time(text: &str) -> Result<Timestamp, ValidationError> {
    let milliseconds = MeasurementTime::parse_any(text)?.instant().as_millisecond();
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| ValidationError::new("must be an RFC 3339 date-time"))
}

fn required<T>(
    part: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, ValidationError>,
) -> Result<T, Rejection> {
    optional(part, text, parse)?.ok_or_else(|| Rejection::new(part, "is missing"))
}

fn optional<T>(
    part: &'static str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, ValidationError>,
) -> Result<Option<T>, Rejection> {
    text.map(parse)
        .transpose()
        .map_err(|reason| Rejection::from_validation(part, reason))
}
