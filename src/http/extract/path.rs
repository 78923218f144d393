use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::domain::{ReadingId, UserId};
use crate::http::access::AccessGrant;
use crate::http::problem::{ApiError, ValidationErrors};

/// `{user_id}` of a path. The principal may act for the user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// Id of the user whose readings are accessed.
    #[param(
        value_type = String, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    pub user_id: UserId,
}

impl<S: Send + Sync> FromRequestParts<S> for UserPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(parameters) = Path::<Vec<String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_utf8())?;
        let user_id = match parameters.first() {
            Some(user_id) => parse_user_id(user_id),
            // No parameter: the user's id equals a static route.
            None => parse_user_id(parts.uri.path().rsplit('/').next().unwrap_or_default()),
        }?;
        AccessGrant::from_extensions(&parts.extensions)?.authorize(&user_id, 0)?;
        Ok(Self { user_id })
    }
}

/// `{user_id}/{data_id}` of a path. The principal may act for the user.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReadingPath {
    /// Id of the user whose reading is accessed.
    #[param(
        value_type = String, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    pub user_id: UserId,
    /// Id of the reading, its `data_id`.
    #[param(value_type = String, rename = "data_id", example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    pub id: ReadingId,
}

impl<S: Send + Sync> FromRequestParts<S> for ReadingPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((user_id, id)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| not_utf8())?;
        let user_id = parse_user_id(&user_id)?;
        AccessGrant::from_extensions(&parts.extensions)?.authorize(&user_id, 0)?;
        Ok(Self {
            user_id,
            // A malformed id cannot match a reading, so it is reported as not
            // found.
            id: id.parse().map_err(|_| ApiError::ReadingNotFound)?,
        })
    }
}

fn parse_user_id(text: &str) -> Result<UserId, ApiError> {
    text.parse()
        .map_err(|invalid| ApiError::Invalid(ValidationErrors::single("/user_id", invalid)))
}

/// Invalid UTF-8 is the only reason for which axum rejects path parameters here.
fn not_utf8() -> ApiError {
    ApiError::Invalid(ValidationErrors::single(
        "",
        "must have a path of valid UTF-8",
    ))
}
