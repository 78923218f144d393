use jiff::Timestamp;

use crate::domain::{Invalid, MeasurementTime};

/// Reads a time as exports write it, `2023-01-05 07:30:00 +0100`, keeping its
/// offset.
///
/// # Errors
/// When it is none, lies before 1970, or more than a day after `now`.
pub fn parse(text: &str, now: Timestamp) -> Result<MeasurementTime, Invalid> {
    let malformed = || Invalid::because("must be a time such as 2023-01-05 07:30:00 +0100");
    let (date, rest) = text.split_once(' ').ok_or_else(malformed)?;
    let (time, offset) = rest.split_once(' ').ok_or_else(malformed)?;
    let (hours, minutes) = offset
        .split_at_checked(3)
        .filter(|(_, minutes)| minutes.len() == 2)
        .ok_or_else(malformed)?;
    MeasurementTime::parse(&format!("{date}T{time}{hours}:{minutes}"), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, String> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        parse(text, now)
            .map(|time| time.to_string())
            .map_err(|invalid| invalid.to_string())
    }

    #[test]
    fn times_keep_their_offsets() {
        for (text, time) in [
            ("2023-01-05 07:30:00 +0100", "2023-01-05T07:30:00+01:00"),
            ("2023-07-05 07:30:00 -0930", "2023-07-05T07:30:00-09:30"),
            ("2023-07-05 07:30:00 +0000", "2023-07-05T07:30:00+00:00"),
        ] {
            assert_eq!(parsed(text).unwrap(), time);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2023-01-05",
            "2023-01-05 07:30:00",
            "2023-01-05 07:30:00 0100",
            "2023-01-05 07:30:00 +01:00",
            "2023-01-05 07:30:00 +é0",
            "2023-02-30 07:30:00 +0100",
            "2023-01-05 25:30:00 +0100",
            "2023-01-05 07:30:00 +2500",
            "1969-12-31 23:59:59 +0000",
            "2026-01-03 00:00:00 +0000",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }
}
