use crate::domain::ReadingValue;
use crate::import::record::Rejection;
use crate::import::sources::firestore::Value;

/// Returns the text of a field that is a string.
pub fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Returns the time of a field that is a timestamp or a string, as text.
pub fn time(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Timestamp(instant)) => Some(instant.to_string()),
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Returns the number of a field; `None` if the field is absent or null.
///
/// # Errors
/// The field is not a number, or not one that a reading can have.
pub fn number(name: &str, value: Option<&Value>) -> Result<Option<f64>, Rejection> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        #[expect(clippy::cast_precision_loss, reason = "a reading's value is a double")]
        Some(Value::Integer(integer)) => *integer as f64,
        Some(Value::Double(double)) => *double,
        Some(_) => return Err(Rejection::new(name.to_owned(), "must be a number")),
    };
    ReadingValue::try_from(number)
        .map(|value| Some(value.get()))
        .map_err(|reason| Rejection::from_validation(name.to_owned(), reason))
}
