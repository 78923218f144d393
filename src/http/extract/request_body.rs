use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use crate::domain::UserId;
use crate::http::overload::MAX_BODY_BYTES;
use crate::http::problem::{ApiError, ValidationErrors};

/// What a request's body can be read as.
pub trait RequestBody: Sized + Send + 'static {
    /// The largest body in bytes.
    const MAX_BODY_BYTES: usize = MAX_BODY_BYTES;

    /// How many readings it brings of each of its [`Self::users`].
    const READINGS_PER_USER: u64;

    /// Reads the JSON text of a request that arrived at `now`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn parse(json: &[u8], now: Timestamp) -> Result<Self, ApiError>;

    /// Whom it is about, once for each reading or question.
    fn users(&self) -> impl Iterator<Item = &UserId>;
}

/// Reads a JSON object whose members `T` names.
///
/// # Errors
/// When the text is not JSON, is no object, or has a member that `T` does not
/// name or that comes twice.
pub fn parse_object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ApiError> {
    // A derived `Deserialize` would also take an array of the members' values.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(json) {
            Ok(_) => ApiError::Invalid(ValidationErrors::single("", "must be a JSON object")),
            Err(error) => syntax_error(&error),
        });
    }
    serde_json::from_slice(json).map_err(|error| {
        // A member at fault stops the reader before it has seen the rest.
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
        Category::Eof => "it ends too early".into(),
        _ => format!("there is a fault at line {line}, column {column}").into(),
    })
}

/// Reads again, slower, to find out which member is at fault.
fn locate_errors<'a, T: Deserialize<'a>>(json: &'a [u8]) -> ValidationErrors {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => ValidationErrors::single("", "must be a JSON object"),
        Err(error) => {
            let message = error.inner().to_string();
            let detail = if message.starts_with("unknown field") {
                "is not a member of this request"
            } else if message.starts_with("duplicate field") {
                "must not name a member twice"
            } else {
                "does not fit"
            };
            ValidationErrors::single(pointer(error.path()), detail)
        }
    }
}

/// The JSON pointer of a path (RFC 6901).
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
