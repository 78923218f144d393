use std::borrow::Cow;

use jiff::Timestamp;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{DataType, DataTypes, MeasurementTime, TimeRange, ValidationError};
use crate::http::problem::ValidationErrors;

/// Filter by data type and time of measurement.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadingFilter {
    /// Returns only readings of this data type. May be given up to 20 times to
    /// select several. On DynamoDB the index by data type is eventually
    /// consistent: readings written in the last moments may be missing, and
    /// deleted ones may still appear.
    #[param(
        inline, value_type = Option<Vec<DataTypeName>>, explode = true, max_items = 20,
        example = json!(["heart_rate"])
    )]
    data_type: Vec<DataType>,
    /// Inclusive start of the time range, as an RFC 3339 date-time; UTC if it has no
    /// offset.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-01-01T00:00:00Z")]
    start: Option<Timestamp>,
    /// Exclusive end of the time range, as an RFC 3339 date-time; UTC if it has no
    /// offset.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-02-01T00:00:00Z")]
    end: Option<Timestamp>,
}

impl ReadingFilter {
    /// Parses a query parameter if it belongs to the filter; returns whether it
    /// does.
    pub fn accept(&mut self, name: &str, value: &str, errors: &mut ValidationErrors) -> bool {
        match name {
            "data_type" => self
                .data_type
                .extend(errors.record("/data_type", value.parse())),
            "start" => set_once(&mut self.start, "/start", parse_time(value), errors),
            "end" => set_once(&mut self.end, "/end", parse_time(value), errors),
            _ => return false,
        }
        true
    }

    /// Returns the time range.
    pub fn range(&self) -> TimeRange {
        TimeRange {
            start: self.start,
            end: self.end,
        }
    }

    /// Returns the data types.
    ///
    /// # Errors
    /// Fails if there are too many.
    pub fn data_types(self) -> Result<DataTypes, ValidationErrors> {
        DataTypes::try_from(self.data_type)
            .map_err(|invalid| ValidationErrors::single("/data_type", invalid))
    }
}

/// Name of a data type.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = "^[A-Za-z][A-Za-z0-9._:-]*$"
)]
#[expect(dead_code, reason = "only its schema is used")]
struct DataTypeName(String);

/// Bounds the errors of one response, as a query can contain thousands.
const MAX_REPORTED_ERRORS: usize = 16;

/// Parses the parameters of a query. `accept` returns whether it knows a
/// parameter.
///
/// # Errors
/// All invalid and unknown parameters.
pub fn parse_query(
    query: &str,
    mut accept: impl FnMut(&str, Cow<'_, str>, &mut ValidationErrors) -> bool,
) -> Result<(), ValidationErrors> {
    let mut errors = ValidationErrors::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if errors.as_slice().len() >= MAX_REPORTED_ERRORS {
            break;
        }
        if !accept(&name, value, &mut errors) {
            errors.push(format!("/{name}"), "is not a known parameter");
        }
    }
    if errors.as_slice().is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Sets a parameter that may be given at most once.
pub fn set_once<T>(
    slot: &mut Option<T>,
    pointer: &'static str,
    read: Result<T, ValidationError>,
    errors: &mut ValidationErrors,
) {
    if slot.is_some() {
        errors.push(pointer, "must be given at most once");
    } else {
        *slot = errors.record(pointer, read);
    }
}

fn parse_time(text: &str) -> Result<Timestamp, ValidationError> {
    match MeasurementTime::parse_bound(text) {
        Ok(bound) => Ok(bound),
        Err(_) if text.contains(' ') => Err(ValidationError::new(
            "must be an RFC 3339 date-time; encode the + of an offset as %2B in a URL",
        )),
        Err(invalid) => Err(invalid),
    }
}
