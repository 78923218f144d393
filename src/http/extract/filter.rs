use std::borrow::Cow;

use jiff::Timestamp;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{DataType, DataTypes, MeasurementTime, TimeRange, ValidationError};
use crate::http::problem::ValidationErrors;

/// Which of a user's readings are meant.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReadingFilter {
    /// Only readings of this data type; may be given up to 20 times, for
    /// readings of any of them. Where they are kept in DynamoDB, what was
    /// written within the last moments may then still be missing, and what was
    /// just deleted or erased may still be there.
    #[param(
        inline, value_type = Option<Vec<DataTypeName>>, explode = true, max_items = 20,
        example = json!(["heart_rate"])
    )]
    data_type: Vec<DataType>,
    /// From when on, included: RFC 3339; without an offset it is UTC.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-01-01T00:00:00Z")]
    start: Option<Timestamp>,
    /// Up to when, not included.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-02-01T00:00:00Z")]
    end: Option<Timestamp>,
}

impl ReadingFilter {
    /// Takes a parameter of the query, if it is one of these.
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

    /// Measured when.
    pub fn range(&self) -> TimeRange {
        TimeRange {
            start: self.start,
            end: self.end,
        }
    }

    /// Of which data types.
    ///
    /// # Errors
    /// When there are too many.
    pub fn data_types(self) -> Result<DataTypes, ValidationErrors> {
        DataTypes::try_from(self.data_type)
            .map_err(|invalid| ValidationErrors::single("/data_type", invalid))
    }
}

/// The name of a data type.
#[derive(ToSchema)]
#[schema(
    min_length = 1,
    max_length = 64,
    pattern = "^[A-Za-z][A-Za-z0-9._:-]*$"
)]
#[expect(dead_code, reason = "it stands for its schema alone")]
struct DataTypeName(String);

/// At most how many errors are told, as a query can hold thousands.
const MAX_REPORTED_ERRORS: usize = 16;

/// Reads the parameters of a query; `take` tells whether it knows one.
///
/// # Errors
/// Everything that is wrong with it.
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
            errors.push(format!("/{name}"), "is not a parameter of this request");
        }
    }
    if errors.as_slice().is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// Sets what may be given once.
pub fn set_once<T>(
    slot: &mut Option<T>,
    pointer: &'static str,
    read: Result<T, ValidationError>,
    errors: &mut ValidationErrors,
) {
    if slot.is_some() {
        errors.push(pointer, "must not be given twice");
    } else {
        *slot = errors.record(pointer, read);
    }
}

fn parse_time(text: &str) -> Result<Timestamp, ValidationError> {
    match MeasurementTime::parse_bound(text) {
        Ok(bound) => Ok(bound),
        Err(_) if text.contains(' ') => Err(ValidationError::new(
            "must be an RFC 3339 date-time; write the + of an offset as %2B in a URL",
        )),
        Err(invalid) => Err(invalid),
    }
}
