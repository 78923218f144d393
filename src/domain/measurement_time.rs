use std::borrow::Cow;
use std::fmt;

use jiff::civil::DateTime;
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::ValidationError;

/// Time of a measurement: an instant, and its original notation.
///
/// The offset and the number of fractional digits are preserved, so that a response
/// contains what the client sent; parsers on phones are strict about both. There are two
/// exceptions: digits beyond nanoseconds are truncated, and a leap second becomes the
/// second before it, on the same day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementTime {
    instant: Timestamp,
    /// `None` is written as `Z`.
    offset: Option<Offset>,
    fraction_digits: u8,
}

impl MeasurementTime {
    /// Maximum lead of a client's clock over the service's.
    pub const MAX_FUTURE_SKEW: SignedDuration = SignedDuration::from_hours(24);

    /// Parses RFC 3339 with any offset, or an ISO 8601 date-time without one, which is
    /// taken as UTC.
    ///
    /// # Errors
    /// If it is neither, before 1970, or more than [`Self::MAX_FUTURE_SKEW`] after
    /// `now`.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self, ValidationError> {
        let time = Self::parse_any(text)?;
        if time.instant
            > now
                .saturating_add(Self::MAX_FUTURE_SKEW)
                .unwrap_or(Timestamp::MAX)
        {
            return Err(ValidationError::new(
                "must not be more than one day ahead of now",
            ));
        }
        Ok(time)
    }

    /// As [`Self::parse`], without the limit on future times. For stored times.
    ///
    /// # Errors
    /// If it is not a date-time, or before 1970.
    pub fn parse_any(text: &str) -> Result<Self, ValidationError> {
        let (local, offset) = parse_parts(text)?;
        let instant = offset
            .unwrap_or(Offset::UTC)
            .to_timestamp(local)
            .map_err(|_| invalid_format())?;
        if instant < Timestamp::UNIX_EPOCH {
            return Err(ValidationError::new(
                "must not be before 1970-01-01T00:00:00Z",
            ));
        }
        Ok(Self {
            instant,
            offset,
            fraction_digits: fraction_digits(text),
        })
    }

    /// Parses the bound of a time range, which may be any date-time. Times beyond the
    /// supported range, which ends in the last hours of the year 9999, count as its
    /// end.
    ///
    /// # Errors
    /// If it is not a date-time.
    pub fn parse_bound(text: &str) -> Result<Timestamp, ValidationError> {
        let (local, offset) = parse_parts(text)?;
        let beyond = if local.year() > 0 {
            Timestamp::MAX
        } else {
            Timestamp::MIN
        };
        let instant = offset.unwrap_or(Offset::UTC).to_timestamp(local);
        Ok(instant.unwrap_or(beyond))
    }

    /// Reassembles a time from [`Self::parts`]; `None` if the parts are invalid.
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

    /// Returns the parts as plain numbers, for a compact encoding.
    pub fn parts(&self) -> MeasurementTimeParts {
        MeasurementTimeParts {
            seconds: self.instant.as_second(),
            nanoseconds: self.instant.subsec_nanosecond().unsigned_abs(),
            offset_seconds: self.offset.map(Offset::seconds),
            fraction_digits: self.fraction_digits,
        }
    }

    /// Returns the instant.
    pub fn instant(&self) -> Timestamp {
        self.instant
    }

    /// Returns the offset from UTC.
    pub fn offset(&self) -> Offset {
        self.offset.unwrap_or(Offset::UTC)
    }
}

/// Parts of a [`MeasurementTime`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MeasurementTimeParts {
    /// Seconds since 1970, not negative.
    pub seconds: i64,
    /// Nanoseconds within the second.
    pub nanoseconds: u32,
    /// Offset from UTC in seconds, east positive; absent for `Z`.
    pub offset_seconds: Option<i32>,
    /// Number of fractional digits, 0 to 9.
    pub fraction_digits: u8,
}

/// RFC 3339, with the original offset and fractional digits.
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

/// Parses a date-time in extended form. The offset is `None` for `Z` or if absent.
fn parse_parts(text: &str) -> Result<(DateTime, Option<Offset>), ValidationError> {
    if !has_extended_form(text) {
        return Err(invalid_format());
    }
    let parsed = truncate_fraction(text);
    let pieces = Pieces::parse(&*parsed).map_err(|_| invalid_format())?;
    let time = pieces.time().ok_or_else(invalid_format)?;
    let offset = match pieces.offset() {
        None | Some(PiecesOffset::Zulu) => None,
        Some(PiecesOffset::Numeric(offset))
            if offset.is_negative() && offset.offset() == Offset::UTC =>
        {
            // "-00:00" means the same as "Z" (RFC 9557, section 2.2).
            None
        }
        Some(numeric) => Some(numeric.to_numeric_offset()),
    };
    // RFC 3339 permits offsets of less than a day only; the parser accepts more.
    if offset.is_some_and(|offset| offset.seconds().abs() >= 24 * 60 * 60) {
        return Err(invalid_format());
    }
    let local = pieces.date().to_datetime(time);
    if is_leap_second(text) && !ends_a_month(local, offset.unwrap_or(Offset::UTC)) {
        return Err(ValidationError::new(
            "must have a leap second only at the end of a month in UTC, as in 2016-12-31T23:59:60Z",
        ));
    }
    Ok((local, offset))
}

/// Returns `true` if the seconds are 60. The parser reads them as 59.
fn is_leap_second(text: &str) -> bool {
    text.get(16..19) == Some(":60")
}

/// Returns `true` if `local` is in the last second of a month in UTC, the only one after
/// which there may be a leap second (ITU-R TF.460-6, section 2.1).
fn ends_a_month(local: DateTime, offset: Offset) -> bool {
    let seconds = SignedDuration::from_secs(1 - i64::from(offset.seconds()));
    let next = local.saturating_add(seconds);
    next.day() == 1 && (next.hour(), next.minute(), next.second()) == (0, 0, 0)
}

/// Removes the fractional digits beyond nanoseconds, which the parser rejects.
fn truncate_fraction(text: &str) -> Cow<'_, str> {
    let Some((before, after)) = text.split_once(['.', ',']) else {
        return text.into();
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    match (after.get(..9), after.get(digits..)) {
        (Some(kept), Some(offset)) if digits > 9 => format!("{before}.{kept}{offset}").into(),
        _ => text.into(),
    }
}

/// Returns `true` if the text has the form of RFC 3339, where seconds and offset are
/// optional.
///
/// The parser accepts more of ISO 8601, including forms that would not be reproduced as
/// sent: seconds in offsets, and annotations in brackets.
fn has_extended_form(text: &str) -> bool {
    const MAX_LEN: usize = 64;
    let bytes = text.as_bytes();
    if bytes.len() > MAX_LEN || !text.is_ascii() || text.contains('[') {
        return false;
    }
    let separators = [(4, "-"), (7, "-"), (10, "Tt "), (13, ":")];
    let has_separators = separators.iter().all(|(at, allowed)| {
        bytes
            .get(*at)
            .is_some_and(|byte| allowed.as_bytes().contains(byte))
    });
    let time = text.get(11..).unwrap_or_default();
    let offset = time.find(['+', '-']).and_then(|at| time.get(at..));
    let offset = offset.unwrap_or_default();
    has_separators && offset.len() <= "+00:00".len()
}

fn invalid_format() -> ValidationError {
    ValidationError::new(
        "must be an RFC 3339 date-time such as 2024-01-15T10:30:00Z or 2024-01-15T10:30:00+01:00",
    )
}

/// Returns the number of fractional digits, without those that are truncated. A valid
/// date-time has at most one decimal point.
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
    fn notation_is_preserved() {
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
    fn bound_may_be_any_time() {
        let bound = |text| MeasurementTime::parse_bound(text).unwrap();
        assert_eq!(bound("9999-12-31T23:59:59Z"), Timestamp::MAX);
        assert_eq!(bound("1969-12-31T23:59:59Z").as_second(), -1);
        assert_eq!(
            bound("2024-01-15T10:30:00+01:00").to_string(),
            "2024-01-15T09:30:00Z"
        );
        assert!(MeasurementTime::parse_bound("yesterday").is_err());
    }

    #[test]
    fn leap_second_is_the_second_before_it() {
        for (text, written) in [
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("2016-12-31t23:59:60.25z", "2016-12-31T23:59:59.25Z"),
            ("2015-06-30T23:59:60", "2015-06-30T23:59:59Z"),
            ("2017-01-01T05:29:60+05:30", "2017-01-01T05:29:59+05:30"),
            ("2016-12-31T15:59:60-08:00", "2016-12-31T15:59:59-08:00"),
        ] {
            let time = MeasurementTime::parse(text, now()).unwrap();
            assert_eq!(time.to_string(), written);
            assert_eq!(time, MeasurementTime::parse(written, now()).unwrap());
        }
        let bound = MeasurementTime::parse_bound("2016-12-31T23:59:60Z").unwrap();
        assert_eq!(bound.to_string(), "2016-12-31T23:59:59Z");
    }

    #[test]
    fn digits_beyond_nanoseconds_are_truncated() {
        for (text, written) in [
            (
                "2024-01-15T10:30:00.1234567899Z",
                "2024-01-15T10:30:00.123456789Z",
            ),
            (
                "2024-01-15T10:30:00,00000000099999999999+01:00",
                "2024-01-15T10:30:00.000000000+01:00",
            ),
            (
                "2024-01-15T10:30:00.123456789012345",
                "2024-01-15T10:30:00.123456789Z",
            ),
        ] {
            let time = MeasurementTime::parse(text, now()).unwrap();
            assert_eq!(time.to_string(), written);
            assert_eq!(time, MeasurementTime::parse(written, now()).unwrap());
        }
    }

    #[test]
    fn unknown_offset_is_written_as_z() {
        let time = MeasurementTime::parse("2024-01-15T10:30:00-00:00", now()).unwrap();
        assert_eq!(time.to_string(), "2024-01-15T10:30:00Z");
    }

    #[test]
    fn time_without_offset_is_utc() {
        let time = MeasurementTime::parse("2024-01-15T10:30:00.123456", now()).unwrap();
        assert_eq!(time.to_string(), "2024-01-15T10:30:00.123456Z");
    }

    #[test]
    fn invalid_or_out_of_range_time_is_rejected() {
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
            "2016-12-31T22:59:60Z",
            "2016-12-31T23:58:60Z",
            "2016-12-31T23:59:61Z",
            "2016-12-30T23:59:60Z",
            "2016-12-31T23:59:60+01:00",
            "2016-12-31T23:60Z",
            "20161231T235960Z",
            "20240115T103000Z",
            "2024-01-15T1030",
            "2024-01-15T10:30:00+01:00:59.6",
            "2024-01-15T10:30:00Z[u-ca=hebrew]",
            "2024-01-15T10",
            "2024-W03-1T10:30:00Z",
            "+002024-01-15T10:30:00Z",
            "2024-01-15T10:30:00.1234567890x",
            "2024-01-15T10:30:00.1234567890.1Z",
            "2024-01-15T10:30:00.0000000000000000000000000000000000000000000000000Z",
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
