use jiff::Timestamp;

use super::attributes::{MetadataEntries, RecordAttributes};
use super::kinds::{RecordKind, sleep_data_types};
use super::provenance::Provenance;
use super::units::Quantity;
use crate::domain::{
    Measurement, MeasurementTime, Metadata, Reading, ReadingValue, UserId, ValidationError,
};
use crate::import::record::Rejection;

/// Converts a `Record` of `user_id` to readings stored at `now`.
///
/// # Errors
/// The record is not a valid reading.
pub fn readings(
    attributes: &RecordAttributes<'_>,
    entries: &MetadataEntries,
    user_id: &UserId,
    now: Timestamp,
) -> Result<Vec<Reading>, Rejection> {
    let identifier = required(attributes.kind.as_deref(), "type")?;
    let kind = RecordKind::from_identifier(identifier)?;
    let value = required(attributes.value.as_deref(), "value")?;
    let span = TimeSpan::from_attributes(attributes, now)?;
    let mut provenance = Provenance::new(attributes, entries, span.start_if_earlier());
    let measurements = match kind {
        RecordKind::Sleep => {
            let data_types = sleep_data_types(value)?;
            provenance = provenance.with("healthkit_value", value);
            sleep_measurements(data_types, &span, &provenance, user_id)?
        }
        RecordKind::Quantity(data_type, metric) => {
            let unit = required(attributes.unit.as_deref(), "unit")?;
            let quantity = Quantity::parse(value, unit, metric)
                .map_err(|invalid| Rejection::from_validation("value", invalid))?;
            let unit = quantity.unit();
            if metric.is_none() {
                provenance = provenance.with("healthkit_type", identifier);
            }
            if unit.is_none() {
                provenance = provenance.with("unit", &quantity.unit);
            }
            vec![Measurement {
                user_id: user_id.clone(),
                data_type,
                value: quantity.value,
                timestamp: span.end,
                unit,
                metadata: metadata(&provenance)?,
                client_record: None,
            }]
        }
    };
    let accept = |measurement| Reading::accept(measurement, now);
    Ok(measurements.into_iter().map(accept).collect())
}

fn sleep_measurements(
    data_types: &[&str],
    span: &TimeSpan,
    provenance: &Provenance,
    user_id: &UserId,
) -> Result<Vec<Measurement>, Rejection> {
    let invalid_value = |invalid| Rejection::from_validation("value", invalid);
    let minutes = ReadingValue::try_from(span.minutes()).map_err(invalid_value)?;
    let unit = Some("min".parse().map_err(invalid_value)?);
    let metadata = metadata(provenance)?;
    data_types
        .iter()
        .map(|data_type| {
            Ok(Measurement {
                user_id: user_id.clone(),
                data_type: data_type.parse().map_err(invalid_value)?,
                value: minutes,
                timestamp: span.end,
                unit: unit.clone(),
                metadata: metadata.clone(),
                client_record: None,
            })
        })
        .collect()
}

fn metadata(provenance: &Provenance) -> Result<Metadata, Rejection> {
    let metadata = provenance.metadata();
    metadata.map_err(|invalid| Rejection::from_validation("metadata", invalid))
}

/// Start and end of a measurement.
struct TimeSpan {
    start: MeasurementTime,
    end: MeasurementTime,
}

impl TimeSpan {
    fn from_attributes(
        attributes: &RecordAttributes<'_>,
        now: Timestamp,
    ) -> Result<Self, Rejection> {
        let time = |text: Option<&str>, name| {
            parse_time(required(text, name)?, now)
                .map_err(|invalid| Rejection::from_validation(name, invalid))
        };
        let end = time(attributes.end.as_deref(), "endDate")?;
        let start = if attributes.start == attributes.end {
            end
        } else {
            time(attributes.start.as_deref(), "startDate")?
        };
        if start.instant() > end.instant() {
            return Err(Rejection::new("endDate", "must not be before startDate"));
        }
        Ok(Self { start, end })
    }

    fn start_if_earlier(&self) -> Option<&MeasurementTime> {
        (self.start.instant() < self.end.instant()).then_some(&self.start)
    }

    fn minutes(&self) -> f64 {
        let duration = self.end.instant().duration_since(self.start.instant());
        duration.as_secs_f64() / 60.0
    }
}

fn required<'a>(value: Option<&'a str>, name: &'static str) -> Result<&'a str, Rejection> {
    value.ok_or_else(|| Rejection::new(name, "is missing"))
}

/// Parses a time in the format of an export, `2023-01-05 07:30:00 +0100`, and
/// preserves its offset.
///
/// # Errors
/// It is malformed, before 1970, or more than a day after `now`.
fn parse_time(text: &str, now: Timestamp) -> Result<MeasurementTime, ValidationError> {
    let malformed = || ValidationError::new("must be a time such as 2023-01-05 07:30:00 +0100");
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
        parse_time(text, now)
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
    fn malformed_times_are_rejected() {
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
