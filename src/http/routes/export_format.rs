//! The formats of an export.

use std::borrow::Cow;

use axum::http::HeaderMap;
use csv::{Terminator, Writer, WriterBuilder};

use super::reading_json::ReadingResponse;
use crate::domain::Reading;
use crate::http::extract::accept;
use crate::http::problem::ApiError;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

/// How readings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// A JSON text a line (<https://github.com/ndjson/ndjson-spec>).
    Ndjson,
    /// RFC 4180, with a header.
    Csv,
}

impl ExportFormat {
    /// The format that the header `Accept` names with the higher weight (RFC
    /// 9110, section 12.5.1).
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

    /// The value of `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => NDJSON,
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// The value of `Content-Disposition`.
    pub fn disposition(self) -> &'static str {
        match self {
            Self::Ndjson => "attachment; filename=\"readings.ndjson\"",
            Self::Csv => "attachment; filename=\"readings.csv\"",
        }
    }

    /// Appends `readings`, which are the first of the export if `is_first`.
    ///
    /// # Errors
    /// When one cannot be written, which is a fault of ours.
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

    /// Appends what tells that an export of `count` readings is whole.
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
            // A number is none of the formulas that are escape_formula.
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

/// A text that no spreadsheet takes for a formula
/// (<https://owasp.org/www-community/attacks/CSV_Injection>), by an apostrophe;
/// one that is there gets another, so that it can be told what was put there.
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

    fn negotiate(accept: &str) -> ExportFormat {
        ExportFormat::negotiate(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
    }

    #[test]
    fn csv_is_for_those_who_prefer_it() {
        for accept in [
            "text/csv",
            "TEXT/CSV",
            "text/csv, */*",
            "application/x-ndjson;q=0.5, text/csv;q=0.8",
            "text/csv;header=present;q=1",
        ] {
            assert_eq!(negotiate(accept), ExportFormat::Csv, "{accept}");
        }
        for accept in [
            "*/*",
            "",
            "application/json",
            "application/x-ndjson, text/csv",
            "text/csv;q=0",
            "text/csv;q=0.3, application/x-ndjson;q=0.4",
        ] {
            assert_eq!(negotiate(accept), ExportFormat::Ndjson, "{accept}");
        }
        assert_eq!(
            ExportFormat::negotiate(&HeaderMap::new()),
            ExportFormat::Ndjson
        );
    }

    #[test]
    fn what_looks_like_a_formula_is_defused() {
        for formula in ["=1+1", "+1", "-1", "@a", "'=1"] {
            assert_eq!(escape_formula(formula), format!("'{formula}"));
        }
        assert_eq!(escape_formula("1-1"), "1-1");
    }
}
