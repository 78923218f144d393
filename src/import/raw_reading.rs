use jiff::Timestamp;

use super::record::Rejection;
use crate::domain::{
    ClientRecord, Measurement, MeasurementTime, Metadata, Reading, RecordVersion, UserId,
    ValidationError,
};

/// What holds for every record of an import.
#[derive(Debug, Clone)]
pub struct ImportContext {
    /// When it began.
    pub now: Timestamp,
    /// Whose the readings are that name nobody.
    pub user_id: Option<UserId>,
}

/// A reading as texts, the way files and tables have it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RawReading<'a> {
    /// Whose it is.
    pub user_id: Option<&'a str>,
    /// What was measured.
    pub data_type: Option<&'a str>,
    /// The number.
    pub value: Option<&'a str>,
    /// When it was measured.
    pub timestamp: Option<&'a str>,
    /// In which unit.
    pub unit: Option<&'a str>,
    /// What else is known of it, as a JSON object.
    pub metadata: Option<&'a str>,
    /// The client's own id of it.
    pub client_record_id: Option<&'a str>,
    /// Which state of it this is.
    pub client_record_version: Option<&'a str>,
    /// The id that it must turn out to have.
    pub data_id: Option<&'a str>,
    /// When the service took it in first.
    pub created_at: Option<&'a str>,
}

impl RawReading<'_> {
    /// The reading.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(self, context: &ImportContext) -> Result<Reading, Rejection> {
        let ImportContext { now, user_id } = context;
        let measurement = Measurement {
            user_id: match (self.user_id, user_id) {
                (Some(own), _) => read("user_id", Some(own), str::parse)?,
                (None, Some(user_id)) => user_id.clone(),
                (None, None) => {
                    let reason = "is missing: say whose it is with --user";
                    return Err(Rejection::because("user_id", reason));
                }
            },
            data_type: read("data_type", self.data_type, str::parse)?,
            value: read("value", self.value, str::parse)?,
            timestamp: read("timestamp", self.timestamp, |text| {
                MeasurementTime::parse(text, *now)
            })?,
            unit: read_if_there("unit", self.unit, str::parse)?,
            metadata: read_if_there("metadata", self.metadata, Metadata::parse)?
                .unwrap_or_default(),
            client_record: self.client_record()?,
        };
        let mut reading = Reading::accept(measurement, *now);
        if let Some(created_at) = read_if_there("created_at", self.created_at, moment)? {
            reading.created_at = created_at;
        }
        match self.data_id {
            // It says of the reading what it is, down to the last digit.
            Some(data_id) if data_id.parse() != Ok(reading.id) => Err(Rejection::because(
                "data_id",
                "is not that of this reading: it was changed after it was exported; remove data_id to import it as it is now",
            )),
            _ => Ok(reading),
        }
    }

    fn client_record(self) -> Result<Option<ClientRecord>, Rejection> {
        let id = read_if_there("client_record_id", self.client_record_id, str::parse)?;
        let version = read_if_there(
            "client_record_version",
            self.client_record_version,
            // Too large for a `u64` is too large all the more.
            |text| RecordVersion::try_from(text.parse().unwrap_or(u64::MAX)),
        )?;
        match (id, version) {
            (None, Some(_)) => Err(Rejection::because(
                "client_record_version",
                "needs a client_record_id",
            )),
            (None, None) => Ok(None),
            (Some(id), version) => Ok(Some(ClientRecord {
                id,
                version: version.unwrap_or_default(),
            })),
        }
    }
}

/// To the millisecond, as the service keeps it.
fn moment(text: &str) -> Result<Timestamp, ValidationError> {
    let milliseconds = MeasurementTime::parse_any(text)?.instant().as_millisecond();
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| ValidationError::new("must be an RFC 3339 date-time"))
}

fn read<T>(
    part: &'static str,
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, ValidationError>,
) -> Result<T, Rejection> {
    read_if_there(part, text, read)?.ok_or_else(|| Rejection::because(part, "is missing"))
}

fn read_if_there<T>(
    part: &'static str,
    text: Option<&str>,
    read: impl FnOnce(&str) -> Result<T, ValidationError>,
) -> Result<Option<T>, Rejection> {
    text.map(read)
        .transpose()
        .map_err(|reason| Rejection::of(part, reason))
}
