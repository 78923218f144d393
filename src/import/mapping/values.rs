use crate::domain::{ReadingValue, ValidationError};
use crate::import::record::Rejection;
use crate::import::sources::firestore::Value;

/// The text in a field, if it is one.
pub fn text(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The time in a field, as text: a timestamp, or what the field says.
pub fn time(value: Option<&Value>) -> Option<String> {
    match value {
        Some(Value::Timestamp(instant)) => Some(instant.to_string()),
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The number in a field; `None` where there is no value.
///
/// # Errors
/// When it is no number that a reading can have.
pub fn number(name: &str, value: Option<&Value>) -> Result<Option<f64>, Rejection> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        #[expect(clippy::cast_precision_loss, reason = "a reading's value is a double")]
        Some(Value::Integer(integer)) => *integer as f64,
        Some(Value::Double(double)) => *double,
        Some(_) => {
            let reason = ValidationError::new("must be a number");
            return Err(Rejection::of(name.to_owned(), reason));
        }
    };
    ReadingValue::try_from(number)
        .map(|value| Some(value.get()))
        .map_err(|reason| Rejection::of(name.to_owned(), reason))
}
