use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::domain::{ReadingId, UserId};
use crate::http::access::AccessGrant;
use crate::http::problem::{ApiError, ValidationErrors};

/// `{user_id}` in a path, for whom the sender may act.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// Whose readings.
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
            // The user is called like the route.
            None => parse_user_id(parts.uri.path().rsplit('/').next().unwrap_or_default()),
        }?;
        AccessGrant::from_extensions(&parts.extensions)?.authorize(&user_id, 0)?;
        Ok(Self { user_id })
    }
}

/// `{user_id}/{data_id}` in a path; for the user the sender may act.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReadingPath {
    /// Whose reading.
    #[param(
        value_type = String, min_length = 1, max_length = 128,
        pattern = "^[A-Za-z0-9][A-Za-z0-9._@:+-]*$", example = "user123"
    )]
    pub user_id: UserId,
    /// Which.
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
            // What is no id is the id of no reading.
            id: id.parse().map_err(|_| ApiError::ReadingNotFound)?,
        })
    }
}

fn parse_user_id(text: &str) -> Result<UserId, ApiError> {
    text.parse()
        .map_err(|invalid| ApiError::Invalid(ValidationErrors::single("/user_id", invalid)))
}

/// Of the parameters of a path only text that is not UTF-8 can be refused.
fn not_utf8() -> ApiError {
    ApiError::Invalid(ValidationErrors::single(
        "",
        "must have a path of UTF-8 text",
    ))
}
