use std::borrow::Cow;

use jiff::Timestamp;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{DataType, DataTypes, MeasurementTime, TimeRange, ValidationError};
use crate::http::problem::Faults;

/// Which of a user's readings are meant.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filters {
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

impl Filters {
    /// Takes a parameter of the query, if it is one of these.
    pub fn take(&mut self, name: &str, value: &str, faults: &mut Faults) -> bool {
        match name {
            "data_type" => self
                .data_type
                .extend(faults.note("/data_type", value.parse())),
            "start" => set(&mut self.start, "/start", parse_time(value), faults),
            "end" => set(&mut self.end, "/end", parse_time(value), faults),
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
    pub fn data_types(self) -> Result<DataTypes, Faults> {
        DataTypes::try_from(self.data_type).map_err(|invalid| Faults::one("/data_type", invalid))
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

/// At most how many faults are told, as a query can hold thousands.
const MOST_FAULTS: usize = 16;

/// Reads the parameters of a query; `take` tells whether it knows one.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_query(
    query: &str,
    mut take: impl FnMut(&str, Cow<'_, str>, &mut Faults) -> bool,
) -> Result<(), Faults> {
    let mut faults = Faults::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if faults.list().len() >= MOST_FAULTS {
            break;
        }
        if !take(&name, value, &mut faults) {
            faults.add(format!("/{name}"), "is not a parameter of this request");
        }
    }
    if faults.list().is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// Sets what may be given once.
pub fn set<T>(
    slot: &mut Option<T>,
    pointer: &'static str,
    read: Result<T, ValidationError>,
    faults: &mut Faults,
) {
    if slot.is_some() {
        faults.add(pointer, "must not be given twice");
    } else {
        *slot = faults.note(pointer, read);
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
