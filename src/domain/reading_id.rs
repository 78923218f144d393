use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ValidationError;

/// Id of a reading, derived from its time and its contents.
///
/// A UUID version 8 (RFC 9562, section 5.8): 48 bits of Unix milliseconds of the
/// measurement time, then 74 bits of a SHA-256 of the reading's identity (see
/// [`Measurement::reading_id`](super::Measurement::reading_id)). Ids of a user
/// therefore sort by measurement time, and a reading has the same id on every machine
/// and however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadingId(Uuid);

impl ReadingId {
    /// Derives the id of a reading that was measured at `instant`.
    ///
    /// The hash covers `identity`, each field preceded by its length so that no
    /// two lists of fields hash alike.
    pub(super) fn derive(instant: Timestamp, identity: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for field in identity {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        let digest = hash.finalize();
        let mut bytes = milliseconds(instant).to_be_bytes();
        bytes[6..].copy_from_slice(&digest[..10]);
        Self(Uuid::new_v8(bytes))
    }

    /// Returns the id as 16 bytes, which sort like the ids.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Parses 16 bytes.
    ///
    /// # Errors
    /// If they are not a UUID version 8.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, ValidationError> {
        Self::from_uuid(Uuid::from_bytes(bytes))
    }

    fn from_uuid(uuid: Uuid) -> Result<Self, ValidationError> {
        if uuid.get_version_num() == 8 && uuid.get_variant() == uuid::Variant::RFC4122 {
            Ok(Self(uuid))
        } else {
            Err(ValidationError::new("must be a UUID version 8"))
        }
    }
}

impl fmt::Display for ReadingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(formatter)
    }
}

impl Serialize for ReadingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Uuid::encode_buffer();
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut text))
    }
}

impl FromStr for ReadingId {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        const HYPHENATED: usize = uuid::fmt::Hyphenated::LENGTH;
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == HYPHENATED => Self::from_uuid(uuid),
            _ => Err(ValidationError::new("must be a UUID of 36 characters")),
        }
    }
}

/// Inclusive range of ids, for a store's key range. Its bounds need not be valid ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadingIdRange {
    first: u128,
    last: u128,
}

impl ReadingIdRange {
    /// Returns the range of ids of readings measured from `start` to before `end`. It
    /// has a resolution of a millisecond: all readings in the millisecond of a bound
    /// are included.
    pub fn between(start: Option<Timestamp>, end: Option<Timestamp>) -> Self {
        let first = start.map_or(0, milliseconds);
        let last = end.map_or(Self::MAX, |end| {
            // The first excluded nanosecond may share its millisecond with included
            // ones.
            let one_past = milliseconds(end)
                + if end.as_nanosecond() % 1_000_000 == 0 {
                    0
                } else {
                    1 << 80
                };
            one_past.saturating_sub(1).min(Self::MAX)
        });
        Self { first, last }
    }

    /// Last id of the year 2527.
    ///
    /// Its text starts with the digit 0. The sort keys of legacy rows start with a
    /// letter and so are outside of every range.
    const MAX: u128 = (1 << 124) - 1;

    /// Returns the part after `id`.
    pub fn after(self, id: ReadingId) -> Self {
        Self {
            first: self.first.max(id.0.as_u128().saturating_add(1)),
            ..self
        }
    }

    /// Returns the part before `id`.
    pub fn before(self, id: ReadingId) -> Self {
        Self {
            last: self.last.min(id.0.as_u128().saturating_sub(1)),
            ..self
        }
    }

    /// Returns `true` if the range is empty.
    pub fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// Returns the bounds as bytes.
    pub fn bytes(self) -> RangeInclusive<[u8; 16]> {
        self.first.to_be_bytes()..=self.last.to_be_bytes()
    }

    /// Returns the bounds as texts of ids.
    pub fn texts(self) -> (String, String) {
        let text = |bound| Uuid::from_u128(bound).hyphenated().to_string();
        (text(self.first), text(self.last))
    }
}

/// Returns Unix milliseconds in the upper 48 bits; 0 before 1970.
fn milliseconds(instant: Timestamp) -> u128 {
    u128::try_from(instant.as_millisecond()).unwrap_or(0) << 80
}
