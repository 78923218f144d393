use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};
use tokio::task::spawn_blocking;

use super::AppState;
use super::admission::Ticket;
use super::arriving_body::ArrivedBody;
use super::error::ApiError;
use super::permission::Access;
use super::validation::Faults;
use crate::domain::UserId;

/// The JSON body of a request, read and checked as a whole; for the users that
/// it names the sender may act.
pub struct Json<T>(pub T);

/// What a request's body can be read as.
pub trait FromJson: Sized + Send + 'static {
    /// The largest body in bytes.
    const LARGEST_BODY: usize = super::LARGEST_BODY;

    /// How many readings it brings of each of its [`Self::users`].
    const BRINGS: u64;

    /// Reads the JSON text of a request that arrived at `now`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    fn from_json(json: &[u8], now: Timestamp) -> Result<Self, ApiError>;

    /// Whom it is about, once for each reading or question.
    fn users(&self) -> impl Iterator<Item = &UserId>;
}

impl<T: FromJson> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let access = Arc::clone(Access::of(request.extensions())?);
        if !is_json(request.headers()) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let ticket = Arc::clone(Ticket::of(request.extensions())?);
        let body = ArrivedBody::receive(request, &ticket, T::LARGEST_BODY).await?;
        ticket.acquire_permit().await?;
        let now = state.clock.now();
        let read = if body.bytes().len() <= QUICKLY_READ {
            T::from_json(body.bytes(), now)?
        } else {
            match spawn_blocking(move || T::from_json(body.bytes(), now)).await {
                Ok(read) => read?,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => return Err(ApiError::Panicked),
            }
        };
        read.users()
            .try_for_each(|user_id| access.permit(user_id, T::BRINGS))?;
        Ok(Self(read))
    }
}

/// Up to this size in bytes a body is read on the thread that serves requests;
/// a larger one would make others wait.
const QUICKLY_READ: usize = super::LARGEST_BODY;

/// An answer of status 200 with `body` as JSON.
///
/// # Errors
/// When `body` has no JSON form, which is a fault of ours.
pub fn answer(body: &impl Serialize) -> Result<Response, ApiError> {
    serde_json::to_vec(body)
        .map(answer_text)
        .map_err(ApiError::Serialization)
}

/// An answer of status 200 whose body is this JSON text.
pub fn answer_text(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Whether the body is declared as `application/json` or `application/…+json`,
/// parameters aside.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(declared)) = headers.get(CONTENT_TYPE).map(HeaderValue::to_str) else {
        return false;
    };
    let essence = declared.split(';').next().unwrap_or_default().trim();
    essence.split_once('/').is_some_and(|(kind, subtype)| {
        let subtype = subtype.to_ascii_lowercase();
        kind.eq_ignore_ascii_case("application")
            && (subtype == "json" || subtype.ends_with("+json"))
    })
}

/// Reads a JSON object whose members `T` names.
///
/// # Errors
/// When the text is not JSON, is no object, or has a member that `T` does not
/// name or that comes twice.
pub fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, ApiError> {
    // A derived `Deserialize` would also take an array of the members' values.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(match serde_json::from_slice::<IgnoredAny>(json) {
            Ok(_) => ApiError::Invalid(Faults::one("", "must be a JSON object")),
            Err(error) => not_json(&error),
        });
    }
    serde_json::from_slice(json).map_err(|error| {
        // A member at fault stops the reader before it has seen the rest.
        match serde_json::from_slice::<IgnoredAny>(json) {
            Ok(_) if error.is_data() => ApiError::Invalid(locate::<T>(json)),
            Ok(_) => not_json(&error),
            Err(error) => not_json(&error),
        }
    })
}

fn not_json(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    ApiError::NotJson(match error.classify() {
        Category::Eof => "it ends too early".into(),
        _ => format!("there is a fault at line {line}, column {column}").into(),
    })
}

/// Reads again, slower, to find out which member is at fault.
fn locate<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Faults {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(_) => Faults::one("", "must be a JSON object"),
        Err(error) => {
            let message = error.inner().to_string();
            let detail = if message.starts_with("unknown field") {
                "is not a member of this request"
            } else if message.starts_with("duplicate field") {
                "must not name a member twice"
            } else {
                "does not fit"
            };
            Faults::one(pointer(error.path()), detail)
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
