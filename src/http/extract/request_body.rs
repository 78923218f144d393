use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::domain::UserId;
use crate::http::overload::DEFAULT_MAX_BODY_BYTES;
use crate::http::problem::{ApiError, ValidationErrors};

/// JSON body of a request, as the extractor [`Json`](super::Json) parses it.
pub trait RequestBody: Sized + Send + 'static {
    /// Maximum size of the body.
    const MAX_BODY_BYTES: usize = DEFAULT_MAX_BODY_BYTES;

    /// Number of readings that each item of [`Self::users`] stands for in the
    /// audit.
    const READINGS_PER_USER: u64;

    /// Parses and validates the body of a request that arrived at `now`.
    ///
    /// # Errors
    /// All validation errors.
    fn parse(json: &[u8], now: Timestamp) -> Result<Self, ApiError>;

    /// Returns the users that the body is about, once per reading or question.
    fn users(&self) -> impl Iterator<Item = &UserId>;
}

/// Parses a JSON object with the members of `T`.
///
/// # Errors
/// Fails if the text is not a JSON object, or has unknown or duplicate members.
pub fn parse_object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ApiError> {
    // A derived `Deserialize` also accepts an array of the members' values.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(json) {
            Ok(_) => ApiError::Invalid(ValidationErrors::single("", "must be a JSON object")),
            Err(error) => syntax_error(&error),
        });
    }
    serde_json::from_slice(json).map_err(|error| {
        // serde stops at an invalid member; a syntax error after it takes
        // precedence.
        match serde_json::from_slice::<IgnoredAny>(json) {
            Ok(_) if error.is_data() => ApiError::Invalid(locate_errors::<T>(json)),
            Ok(_) => syntax_error(&error),
            Err(error) => syntax_error(&error),
        }
    })
}

fn syntax_error(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::InvalidJson(match error.classify() {
        Category::Eof => "unexpected end of input".into(),
        _ => format!("syntax error at line {line}, column {column}").into(),
    })
}

/// Parses again, more slowly, to locate the invalid member.
fn locate_errors<'a, T: Deserialize<'a>>(json: &'a [u8]) -> ValidationErrors {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => ValidationErrors::single("", "must be a JSON object"),
        Err(error) => {
            let message = error.inner().to_string();
            let detail = if message.starts_with("unknown field") {
                "is not a known member"
            } else if message.starts_with("duplicate field") {
                "must not contain duplicate members"
            } else {
                "has an invalid value"
            };
            ValidationErrors::single(pointer(error.path()), detail)
        }
    }
}

/// Formats a path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/".to_owned(),
        })
        .collect()
}
