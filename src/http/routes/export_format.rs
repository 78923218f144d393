//! Export formats.

use std::borrow::Cow;

use axum::http::HeaderMap;
use csv::{Terminator, Writer, WriterBuilder};

use super::reading_json::ReadingResponse;
use crate::domain::Reading;
use crate::http::extract::accept;
use crate::http::problem::ApiError;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// One JSON text per line (<https://github.com/ndjson/ndjson-spec>).
    Ndjson,
    /// CSV by RFC 4180, with a header.
    Csv,
}

impl ExportFormat {
    /// Selects the format that `Accept` prefers, NDJSON by default.
    pub fn negotiate(headers: &HeaderMap) -> Self {
        let weight = |media_type| {
            let first = accept::weights(headers, media_type).next();
            first.map(|weight| weight.unwrap_or(0.0))
        };
        match (weight(CSV), weight(NDJSON)) {
            (Some(csv), ndjson) if csv > ndjson.unwrap_or(0.0) => Self::Csv,
            _ => Self::Ndjson,
        }
    }

    /// Returns the value of `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => NDJSON,
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// Returns the value of `Content-Disposition`.
    pub fn disposition(self) -> &'static str {
        match self {
            Self::Ndjson => "attachment; filename=\"readings.ndjson\"",
            Self::Csv => "attachment; filename=\"readings.csv\"",
        }
    }

    /// Appends `readings`, with the header of the format if `is_first`.
    ///
    /// # Errors
    /// Fails if serialization fails, which is a bug.
    pub fn write(
        self,
        readings: &[Reading],
        is_first: bool,
        part: &mut Vec<u8>,
    ) -> Result<(), ApiError> {
        match self {
            Self::Ndjson => {
                for reading in readings {
                    serde_json::to_writer(&mut *part, &ReadingResponse::from(reading))
                        .map_err(ApiError::Serialization)?;
                    part.push(b'\n');
                }
                Ok(())
            }
            Self::Csv => {
                let writer = WriterBuilder::new()
                    .terminator(Terminator::CRLF)
                    .from_writer(part);
                write_csv(writer, readings, is_first)
                    .map_err(|error| ApiError::Serialization(serde::ser::Error::custom(error)))
            }
        }
    }

    /// Appends the mark of a complete export of `count` readings.
    pub fn write_trailer(self, count: u64, part: &mut Vec<u8>) {
        if self == Self::Ndjson {
            let line = format!("{{\"complete\":true,\"count\":{count}}}\n");
            part.extend_from_slice(line.as_bytes());
        }
    }
}

const COLUMNS: [&str; 10] = [
    "data_id",
    "user_id",
    "data_type",
    "value",
    "timestamp",
    "unit",
    "metadata",
    "client_record_id",
    "client_record_version",
    "created_at",
];

fn write_csv(
    mut writer: Writer<&mut Vec<u8>>,
    readings: &[Reading],
    is_first: bool,
) -> csv::Result<()> {
    if is_first {
        writer.write_record(COLUMNS)?;
    }
    for reading in readings {
        let measurement = &reading.measurement;
        let record = measurement.client_record.as_ref();
        let version = record.map(|record| record.version.get().to_string());
        writer.write_record([
            &*reading.id.to_string(),
            &*escape_formula(measurement.user_id.as_str()),
            &*escape_formula(measurement.data_type.as_str()),
            // Numbers are not formulas, although negative ones start with `-`.
            &*measurement.value.to_string(),
            &*escape_formula(&measurement.timestamp.to_string()),
            &*escape_formula(measurement.unit.as_ref().map_or("", |unit| unit.as_str())),
            &*escape_formula(measurement.metadata.as_str()),
            &*escape_formula(record.map_or("", |record| record.id.as_str())),
            version.as_deref().unwrap_or_default(),
            &*format!("{:.3}", reading.created_at),
        ])?;
    }
    writer.flush()?;
    Ok(())
}

/// Prefixes text that a spreadsheet would interpret as a formula with an
/// apostrophe (<https://owasp.org/www-community/attacks/CSV_Injection>). Text
/// that starts with an apostrophe gets another one, so that the escape is
/// reversible.
fn escape_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::ACCEPT;

    use super::*;

    fn negotiated(accept: &str) -> ExportFormat {
        ExportFormat::negotiate(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
    }

    #[test]
    fn csv_requires_a_higher_weight_than_ndjson() {
        for accept in [
            "text/csv",
            "TEXT/CSV",
            "text/csv, */*",
            "application/x-ndjson;q=0.5, text/csv;q=0.8",
            "text/csv;header=present;q=1",
        ] {
            assert_eq!(negotiated(accept), ExportFormat::Csv, "{accept}");
        }
        for accept in [
            "*/*",
            "",
            "application/json",
            "application/x-ndjson, text/csv",
            "text/csv;q=0",
            "text/csv;q=0.3, application/x-ndjson;q=0.4",
        ] {
            assert_eq!(negotiated(accept), ExportFormat::Ndjson, "{accept}");
        }
        assert_eq!(
            ExportFormat::negotiate(&HeaderMap::new()),
            ExportFormat::Ndjson
        );
    }

    #[test]
    fn formulas_are_escaped() {
        for formula in ["=1+1", "+1", "-1", "@a", "'=1"] {
            assert_eq!(escape_formula(formula), format!("'{formula}"));
        }
        assert_eq!(escape_formula("1-1"), "1-1");
    }
}
