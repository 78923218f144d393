//! Erasure of all readings of a user.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::json_response;
use crate::http::access::{Authorized, EraseData};
use crate::http::extract::UserPath;
use crate::http::openapi::ListErrors;
use crate::http::problem::ApiError;
use crate::http::state::AppState;

/// Time that one request spends on deleting, below the response timeout of load
/// balancers.
const ERASE_TIMEOUT: Duration = Duration::from_secs(20);

/// Erase a user's data
///
/// Idempotent. Returns 200 when no readings remain, or 202 if the erasure did not
/// finish in time or was interrupted: repeat it after `Retry-After`. Readings
/// written concurrently may or may not be erased.
#[utoipa::path(
    delete, path = "/data/{user_id}", tag = "readings", operation_id = "erase_user",
    security(("api_key" = ["data:erase"]), ("token" = ["data:erase"])),
    params(UserPath),
    responses(
        (status = 200, description = "No readings remain.", body = EraseUserResponse),
        (
            status = 202, description = "Not finished: repeat the request.", body = EraseUserResponse,
            headers(("Retry-After" = u32, description = "Seconds to wait before repeating."))
        ),
        ListErrors
    )
)]
pub async fn erase_user(
    authorized: Authorized<EraseData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
) -> Result<Response, ApiError> {
    let count = |deleted| authorized.count(deleted);
    let erasure = state
        .store
        .erase_user(&user_id, ERASE_TIMEOUT, count)
        .await?;
    let mut response = json_response(&EraseUserResponse {
        success: true,
        user_id: user_id.as_str(),
        deleted: erasure.deleted,
    })?;
    if !erasure.complete {
        *response.status_mut() = StatusCode::ACCEPTED;
        let retry_after = HeaderValue::from_static("1");
        response.headers_mut().insert(RETRY_AFTER, retry_after);
    }
    Ok(response)
}

/// Progress of an erasure.
#[derive(Serialize, ToSchema)]
struct EraseUserResponse<'a> {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Id of the user.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// Number of items that this request deleted.
    #[schema(example = 1234)]
    deleted: u64,
}
