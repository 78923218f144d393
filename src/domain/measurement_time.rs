use std::fmt;

use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::Invalid;

/// When something was measured: an instant, and how the client wrote it.
///
/// The offset and the number of fractional digits are kept, so that the answer
/// reads as the client sent it; parsers on phones are picky about both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementTime {
    instant: Timestamp,
    /// `None` is written `Z`.
    offset: Option<Offset>,
    fraction_digits: u8,
}

impl MeasurementTime {
    /// How far ahead of the service's clock a client's clock may be.
    pub const AHEAD: SignedDuration = SignedDuration::from_hours(24);

    const LONGEST: usize = 64;

    /// Reads RFC 3339 with any offset, or an ISO 8601 date-time without one,
    /// which is taken as UTC.
    ///
    /// # Errors
    /// When it is neither, lies before 1970, or more than [`Self::AHEAD`] after
    /// `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, Invalid> {
        let time = Self::parse_any(text)?;
        if time.instant > now.saturating_add(Self::AHEAD).unwrap_or(Timestamp::MAX) {
            return Err(Invalid::because(
                "must not be more than one day ahead of now",
            ));
        }
        Ok(time)
    }

    /// As [`Self::parse`], however far ahead it lies: for time ranges and for
    /// what is already stored.
    ///
    /// # Errors
    /// When it is not a date-time or lies before 1970.
    pub fn parse_any(text: &str) -> Result<Self, Invalid> {
        let not_a_time = || {
            Invalid::because(
                "must be an RFC 3339 date-time such as 2024-01-15T10:30:00Z or 2024-01-15T10:30:00+01:00",
            )
        };
        if text.len() > Self::LONGEST {
            return Err(not_a_time());
        }
        let pieces = Pieces::parse(text).map_err(|_| not_a_time())?;
        if pieces.time_zone_annotation().is_some() {
            return Err(not_a_time());
        }
        let local = pieces
            .date()
            .to_datetime(pieces.time().ok_or_else(not_a_time)?);
        let offset = match pieces.offset() {
            None | Some(PiecesOffset::Zulu) => None,
            Some(PiecesOffset::Numeric(offset))
                if offset.is_negative() && offset.offset() == Offset::UTC =>
            {
                // "-00:00" says the same as "Z" (RFC 9557, section 2.2).
                None
            }
            Some(numeric) => Some(numeric.to_numeric_offset()),
        };
        // RFC 3339 has offsets of whole minutes below a day, and a leap second,
        // which no clock here could give back as it was sent.
        let offset_is_strange =
            |offset: Offset| offset.seconds() % 60 != 0 || offset.seconds().abs() >= 24 * 60 * 60;
        if offset.is_some_and(offset_is_strange) || text.contains(":60") {
            return Err(not_a_time());
        }
        let instant = offset
            .unwrap_or(Offset::UTC)
            .to_timestamp(local)
            .map_err(|_| not_a_time())?;
        if instant < Timestamp::UNIX_EPOCH {
            return Err(Invalid::because("must not be before 1970-01-01T00:00:00Z"));
        }
        Ok(Self {
            instant,
            offset,
            fraction_digits: fraction_digits(text),
        })
    }

    /// Puts together what [`Self::parts`] took apart; `None` when no client
    /// could have sent it.
    pub fn from_parts(parts: MeasurementTimeParts) -> Option<Self> {
        let nanoseconds = i32::try_from(parts.nanoseconds).ok()?;
        let instant = Timestamp::new(parts.seconds, nanoseconds).ok()?;
        let offset = match parts.offset_seconds {
            None => None,
            Some(seconds) => Some(Offset::from_seconds(seconds).ok()?),
        };
        (instant >= Timestamp::UNIX_EPOCH && parts.fraction_digits <= 9).then_some(Self {
            instant,
            offset,
            fraction_digits: parts.fraction_digits,
        })
    }

    /// Its parts as plain numbers, for a compact encoding.
    pub fn parts(&self) -> MeasurementTimeParts {
        MeasurementTimeParts {
            seconds: self.instant.as_second(),
            nanoseconds: self.instant.subsec_nanosecond().unsigned_abs(),
            offset_seconds: self.offset.map(Offset::seconds),
            fraction_digits: self.fraction_digits,
        }
    }

    /// The instant itself.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }
}

/// A [`MeasurementTime`] as plain numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MeasurementTimeParts {
    /// Whole seconds since 1970, not negative.
    pub seconds: i64,
    /// Nanoseconds past the second.
    pub nanoseconds: u32,
    /// Seconds east of UTC; absent where the text says `Z`.
    pub offset_seconds: Option<i32>,
    /// Digits after the decimal point, 0 to 9.
    pub fraction_digits: u8,
}

/// RFC 3339, with the offset and the fractional digits as sent.
impl fmt::Display for MeasurementTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = usize::from(self.fraction_digits);
        match self.offset {
            None => write!(formatter, "{:.digits$}", self.instant),
            Some(offset) => write!(
                formatter,
                "{:.digits$}",
                self.instant.display_with_offset(offset)
            ),
        }
    }
}

/// How many digits follow the decimal point; a valid date-time has at most one
/// such point, and at most nine digits.
fn fraction_digits(text: &str) -> u8 {
    let fraction = text.split_once(['.', ',']).map_or("", |(_, after)| after);
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    u8::try_from(digits).unwrap_or(9).min(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2024-06-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn reads_as_it_was_sent() {
        for text in [
            "2024-01-15T10:30:00Z",
            "2024-01-15T10:30:00+01:00",
            "2024-01-15T10:30:00.500Z",
            "2024-01-15T10:30:00.123450-05:30",
            "2024-01-15T10:30:00.000000001+00:00",
            "1970-01-01T00:00:00Z",
        ] {
            let time = MeasurementTime::parse(text, now()).unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(MeasurementTime::from_parts(time.parts()), Some(time));
        }
    }

    #[test]
    fn an_unknown_offset_is_written_z() {
        let time = MeasurementTime::parse("2024-01-15T10:30:00-00:00", now()).unwrap();
        assert_eq!(time.to_string(), "2024-01-15T10:30:00Z");
    }

    #[test]
    fn takes_a_time_without_offset_as_utc() {
        let time = MeasurementTime::parse("2024-01-15T10:30:00.123456", now()).unwrap();
        assert_eq!(time.to_string(), "2024-01-15T10:30:00.123456Z");
    }

    #[test]
    fn refuses_what_is_no_date_time_or_out_of_range() {
        for text in [
            "",
            "now",
            "2024-01-15",
            "1705314600",
            "2024-13-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-01-15T10:30:00[Europe/Athens]",
            "2024-01-15T10:30:00+01:00:30",
            "2024-01-15T10:30:00+24:00",
            "2024-01-15T10:30:00-25:00",
            "2016-12-31T23:59:60Z",
            "2024-01-15T10:30:00.1234567890Z",
            "1969-12-31T23:59:59Z",
            "2024-06-02T00:00:00.000000001Z",
            "2999-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert!(MeasurementTime::parse(text, now()).is_err(), "{text}");
        }
        assert!(MeasurementTime::parse("2024-06-02T00:00:00Z", now()).is_ok());
    }
}
