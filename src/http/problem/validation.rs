//! Turning what a client sent into what the service works with, and telling
//! everything that is wrong with it at once.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::ValidationError;

/// A rule that a request breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer into the body (RFC 6901), or the name of a
    /// parameter behind a slash.
    #[schema(example = "/value")]
    pub pointer: Cow<'static, str>,
    /// What would be right.
    #[schema(example = "must be a JSON number")]
    pub detail: String,
}

/// The rules that a request breaks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    /// A single one.
    pub fn single(pointer: impl Into<Cow<'static, str>>, detail: impl fmt::Display) -> Self {
        let mut errors = Self::default();
        errors.push(pointer, detail);
        errors
    }

    /// One more.
    pub fn push(&mut self, pointer: impl Into<Cow<'static, str>>, detail: impl fmt::Display) {
        self.0.push(FieldError {
            pointer: pointer.into(),
            detail: detail.to_string(),
        });
    }

    /// All of them.
    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }

    /// All of them, to keep.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// The same, of a part that stands at `pointer`.
    pub fn nested_under(mut self, pointer: &str) -> Self {
        for error in &mut self.0 {
            error.pointer = format!("{pointer}{}", error.pointer).into();
        }
        self
    }

    /// What was read, or a fault at `pointer`.
    pub fn record<T>(
        &mut self,
        pointer: &'static str,
        read: Result<T, ValidationError>,
    ) -> Option<T> {
        read.map_err(|invalid| self.push(pointer, invalid)).ok()
    }

    /// Reads a member that must be there.
    pub fn required<T>(
        &mut self,
        pointer: &'static str,
        member: Option<&RawValue>,
        read: impl FnOnce(&str) -> Result<T, ValidationError>,
    ) -> Option<T> {
        let json = member.ok_or_else(|| ValidationError::new("is required"));
        self.record(pointer, json.and_then(|json| read(json.get())))
    }

    /// Reads a member that may be absent or null. What it yields counts only
    /// if there are no errors in the end.
    pub fn optional<T>(
        &mut self,
        pointer: &'static str,
        member: Option<&RawValue>,
        read: impl FnOnce(&str) -> Result<T, ValidationError>,
    ) -> Option<T> {
        self.record(pointer, read(member?.get()))
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, FieldError { pointer, detail }) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("; ")?;
            }
            let place = if pointer.is_empty() {
                "the body"
            } else {
                pointer
            };
            write!(formatter, "{place} {detail}")?;
        }
        Ok(())
    }
}

/// The text in a JSON string.
pub fn text(json: &str) -> Result<Cow<'_, str>, ValidationError> {
    /// Borrows where no escape stands in the way, which a bare `Cow` does not.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    match serde_json::from_str(json) {
        Ok(Text(text)) => Ok(text),
        Err(_) => Err(ValidationError::new(
            "must be a JSON string of valid Unicode",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_string_and_nothing_else() {
        assert_eq!(text(r#""a\u00e9""#).unwrap(), "aé");
        assert!(matches!(
            text(r#""plain""#).unwrap(),
            Cow::Borrowed("plain")
        ));
        for json in ["1", "null", "[]", r#""\ud800""#] {
            assert!(text(json).is_err(), "{json}");
        }
    }
}
