use jiff::Timestamp;

use super::{
    ClientRecordId, DataType, MeasurementTime, Metadata, ReadingId, ReadingValue, Unit, UserId,
    ValidationError,
};

/// What a client measured and sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Whose it is.
    pub user_id: UserId,
    /// What was measured.
    pub data_type: DataType,
    /// The measured number, in `unit`.
    pub value: ReadingValue,
    /// When it was measured.
    pub timestamp: MeasurementTime,
    /// The unit, if the client named one.
    pub unit: Option<Unit>,
    /// What else the client says of it.
    pub metadata: Metadata,
    /// The client's own record, if it keeps one that it may correct later.
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

/// A client's own record of a reading, which it may send again with a higher
/// version to correct it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRecord {
    /// The client's id of it.
    pub id: ClientRecordId,
    /// Which state of it this is.
    pub version: RecordVersion,
}

/// The version of a client's record: 0 to 2^53 - 1, the integers that every
/// JSON reader takes exactly (RFC 8259, section 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordVersion(u64);

impl RecordVersion {
    /// The highest version.
    pub const MAX: u64 = (1 << 53) - 1;

    /// The version as a number.
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

/// A measurement as the service holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its id, which follows from the measurement.
    pub id: ReadingId,
    /// When the service took it in, to the millisecond.
    pub created_at: Timestamp,
    /// What was measured.
    pub measurement: Measurement,
}

impl Reading {
    /// The reading that the service makes of `measurement` at `now`.
    pub fn accept(measurement: Measurement, now: Timestamp) -> Self {
        Self {
            id: measurement.reading_id(),
            created_at: Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now),
            measurement,
        }
    }

    /// Whether this reading takes the place of `stored`, which has the same id.
    ///
    /// A client's record of a higher version does, and one of the same version
    /// that says something else. The same reading sent again does not, so that
    /// a replay changes nothing.
    pub fn replaces(&self, stored: &Self) -> bool {
        match (self.version(), stored.version()) {
            (Some(version), Some(stored_version)) => {
                version > stored_version
                    || version == stored_version && self.measurement != stored.measurement
            }
            _ => false,
        }
    }

    /// Whether `stored`, which has the same id, is of a higher version.
    pub fn is_superseded_by(&self, stored: &Self) -> bool {
        self.version() < stored.version()
    }

    /// The version, if it is a client's record.
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

    /// Clients and other machines rest on these: a change here is a change of
    /// the contract.
    #[test]
    fn ids_never_change() {
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
    fn identity_is_what_the_contract_says() {
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
    fn only_a_higher_or_a_different_equal_version_replaces() {
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
