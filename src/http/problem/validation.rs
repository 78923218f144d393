//! Validation that collects all errors of a request instead of stopping at the
//! first.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::ValidationError;

/// Violated rule, and its location in the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer into the body (RFC 6901), or the name of a query or path
    /// parameter after a slash.
    #[schema(example = "/value")]
    pub pointer: Cow<'static, str>,
    /// Rule that the value must satisfy, worded to follow its name.
    #[schema(example = "must be a JSON number")]
    pub detail: String,
}

/// Validation errors of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ValidationErrors(Vec<FieldError>);

impl ValidationErrors {
    /// Creates a list of one error.
    pub fn single(pointer: impl Into<Cow<'static, str>>, detail: impl fmt::Display) -> Self {
        let mut errors = Self::default();
        errors.push(pointer, detail);
        errors
    }

    /// Adds an error.
    pub fn push(&mut self, pointer: impl Into<Cow<'static, str>>, detail: impl fmt::Display) {
        self.0.push(FieldError {
            pointer: pointer.into(),
            detail: detail.to_string(),
        });
    }

    /// Returns the errors.
    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }

    /// Returns the errors, owned.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// Prefixes all pointers with that of the enclosing value.
    pub fn nested_under(mut self, pointer: &str) -> Self {
        for error in &mut self.0 {
            error.pointer = format!("{pointer}{}", error.pointer).into();
        }
        self
    }

    /// Returns a parsed value, or records the error at `pointer`.
    pub fn record<T>(
        &mut self,
        pointer: &'static str,
        read: Result<T, ValidationError>,
    ) -> Option<T> {
        read.map_err(|invalid| self.push(pointer, invalid)).ok()
    }

    /// Parses a member that must be present.
    pub fn required<T>(
        &mut self,
        pointer: &'static str,
        member: Option<&RawValue>,
        read: impl FnOnce(&str) -> Result<T, ValidationError>,
    ) -> Option<T> {
        let json = member.ok_or_else(|| ValidationError::new("is required"));
        self.record(pointer, json.and_then(|json| read(json.get())))
    }

    /// Parses a member that may be absent or null. The caller must check that no
    /// errors were recorded before it uses the value.
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

/// Decodes a JSON string.
pub fn text(json: &str) -> Result<Cow<'_, str>, ValidationError> {
    /// Borrows strings without escapes, which serde does not do for a bare `Cow`.
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
    fn only_json_strings_decode_as_text() {
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
