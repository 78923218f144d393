use jiff::Timestamp;

use super::{
    ClientRecordId, DataType, MeasurementTime, Metadata, ReadingId, ReadingValue, Unit, UserId,
    ValidationError,
};

/// A measurement as a client sent it.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Person that was measured.
    pub user_id: UserId,
    /// Kind of measurement.
    pub data_type: DataType,
    /// Measured number, in `unit`.
    pub value: ReadingValue,
    /// Time of the measurement.
    pub timestamp: MeasurementTime,
    /// Unit, if the client sent one.
    pub unit: Option<Unit>,
    /// Additional data from the client.
    pub metadata: Metadata,
    /// The client's own record, if it has one that it may correct later.
    pub client_record: Option<ClientRecord>,
}

impl Measurement {
    /// Returns the id of the reading with this measurement.
    ///
    /// A reading is identified by its user, data type, time to the nanosecond and
    /// client record id. Without a client record id, the value, unit and metadata
    /// take its place.
    pub fn reading_id(&self) -> ReadingId {
        let instant = self.timestamp.instant();
        let nanoseconds = instant.as_nanosecond().to_be_bytes();
        let [version, user_id, data_type] = [
            "clarity reading 1",
            self.user_id.as_str(),
            self.data_type.as_str(),
        ]
        .map(str::as_bytes);
        match &self.client_record {
            Some(record) => ReadingId::derive(
                instant,
                &[
                    version,
                    user_id,
                    data_type,
                    &nanoseconds,
                    b"record",
                    record.id.as_str().as_bytes(),
                ],
            ),
            None => ReadingId::derive(
                instant,
                &[
                    version,
                    user_id,
                    data_type,
                    &nanoseconds,
                    b"content",
                    &self.value.get().to_be_bytes(),
                    self.unit.as_ref().map_or("", Unit::as_str).as_bytes(),
                    self.metadata.as_str().as_bytes(),
                ],
            ),
        }
    }
}

/// A client's own record of a reading. Sending it again with a higher version corrects
/// the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client's id of the record.
    pub id: ClientRecordId,
    /// Version of its contents.
    pub version: RecordVersion,
}

/// Version of a client record: 0 to 2^53 - 1, the integers that JSON parsers handle
/// exactly (RFC 8259, section 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordVersion(u64);

impl RecordVersion {
    /// Highest version.
    pub const MAX: u64 = (1 << 53) - 1;

    /// Returns the version as a number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for RecordVersion {
    type Error = ValidationError;

    fn try_from(version: u64) -> Result<Self, ValidationError> {
        if version <= Self::MAX {
            Ok(Self(version))
        } else {
            Err(ValidationError::new(
                "must be a whole number from 0 to 9007199254740991",
            ))
        }
    }
}

/// A stored measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Id, derived from the measurement.
    pub id: ReadingId,
    /// Time at which the service received it, to the millisecond.
    pub created_at: Timestamp,
    /// The measurement.
    pub measurement: Measurement,
}

impl Reading {
    /// Creates the reading of a `measurement` received at `now`.
    pub fn accept(measurement: Measurement, now: Timestamp) -> Self {
        Self {
            id: measurement.reading_id(),
            created_at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            measurement,
        }
    }

    /// Returns `true` if this reading replaces `stored`, which has the same id.
    ///
    /// A client record of a higher version does, as does one of the same version with
    /// other content. A replay of the same reading does not, so that it changes
    /// nothing.
    pub fn replaces(&self, stored: &Self) -> bool {
        match (self.version(), stored.version()) {
            (Some(version), Some(stored_version)) => {
                version > stored_version
                    || version == stored_version && self.measurement != stored.measurement
            }
            _ => false,
        }
    }

    /// Returns `true` if `stored`, which has the same id, has a higher version.
    pub fn is_superseded_by(&self, stored: &Self) -> bool {
        self.version() < stored.version()
    }

    /// Returns the version if it is a client record.
    pub fn version(&self) -> Option<RecordVersion> {
        self.measurement
            .client_record
            .as_ref()
            .map(|record| record.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement() -> Measurement {
        Measurement {
            user_id: "user123".parse().unwrap(),
            data_type: "heart_rate".parse().unwrap(),
            value: "72".parse().unwrap(),
            timestamp: MeasurementTime::parse_any("2024-01-15T10:30:00Z").unwrap(),
            unit: None,
            metadata: Metadata::parse(r#"{"device":"watch"}"#).unwrap(),
            client_record: None,
        }
    }

    fn record(version: u64) -> Option<ClientRecord> {
        Some(ClientRecord {
            id: "sample-1".parse().unwrap(),
            version: version.try_into().unwrap(),
        })
    }

    /// Clients and other machines rely on these ids: a change breaks the contract.
    #[test]
    fn ids_are_stable() {
        assert_eq!(
            measurement().reading_id().to_string(),
            "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e"
        );
        let rich = Measurement {
            value: "-0.1".parse().unwrap(),
            timestamp: MeasurementTime::parse_any("2024-01-15T10:30:00.123456789Z").unwrap(),
            unit: Some("mm[Hg]".parse().unwrap()),
            metadata: Metadata::parse(
                r#"{"é\u0007\"\\/":[1e-9,2.5e20,0.1,true,null],"a\n":{"b":18446744073709551615}}"#,
            )
            .unwrap(),
            ..measurement()
        };
        assert_eq!(
            rich.reading_id().to_string(),
            "018d0cab-c4bb-8a43-9da0-ccec08c68dad"
        );
        let of_record = Measurement {
            client_record: record(3),
            ..measurement()
        };
        assert_eq!(
            of_record.reading_id().to_string(),
            "018d0cab-c440-841e-a39c-bb8458034f77"
        );
    }

    #[test]
    fn id_depends_on_the_identity_only() {
        let id = measurement().reading_id();
        let same_instant = Measurement {
            timestamp: MeasurementTime::parse_any("2024-01-15T11:30:00.000+01:00").unwrap(),
            ..measurement()
        };
        assert_eq!(same_instant.reading_id(), id);
        for other in [
            Measurement {
                user_id: "user124".parse().unwrap(),
                ..measurement()
            },
            Measurement {
                data_type: "steps".parse().unwrap(),
                ..measurement()
            },
            Measurement {
                value: "73".parse().unwrap(),
                ..measurement()
            },
            Measurement {
                unit: Some("/min".parse().unwrap()),
                ..measurement()
            },
            Measurement {
                metadata: Metadata::default(),
                ..measurement()
            },
            Measurement {
                client_record: record(0),
                ..measurement()
            },
        ] {
            assert_ne!(other.reading_id(), id);
        }
        let recorded = Measurement {
            client_record: record(0),
            ..measurement()
        };
        let corrected = Measurement {
            value: "99".parse().unwrap(),
            client_record: record(7),
            ..measurement()
        };
        assert_eq!(recorded.reading_id(), corrected.reading_id());
    }

    #[test]
    fn higher_or_different_equal_version_replaces() {
        let now = Timestamp::UNIX_EPOCH;
        let stored = Reading::accept(
            Measurement {
                client_record: record(2),
                ..measurement()
            },
            now,
        );
        let at = |version, value: &str| {
            Reading::accept(
                Measurement {
                    client_record: record(version),
                    value: value.parse().unwrap(),
                    ..measurement()
                },
                now,
            )
        };
        assert!(at(3, "72").replaces(&stored));
        assert!(at(2, "80").replaces(&stored));
        assert!(!at(2, "72").replaces(&stored) && !at(2, "72").is_superseded_by(&stored));
        assert!(!at(1, "80").replaces(&stored) && at(1, "80").is_superseded_by(&stored));
    }
}
