//! Erasing all that is held of a user.

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

/// How long one request erases: less than a load balancer waits for an answer.
const ERASE_TIMEOUT: Duration = Duration::from_secs(20);

/// Erase all that is held of a user.
///
/// 200 once a look finds nothing any more; safe to repeat. What takes longer
/// than one request, or stops midway for the moment, is answered 202 with the
/// count so far: repeat it after `Retry-After` to go on. What is written
/// meanwhile is erased, or written after the erasure.
#[utoipa::path(
    delete, path = "/data/{user_id}", tag = "readings", operation_id = "erase_user",
    security(("api_key" = ["data:erase"]), ("token" = ["data:erase"])),
    params(UserPath),
    responses(
        (status = 200, description = "Nothing is left.", body = EraseUserResponse),
        (
            status = 202, description = "There is more: repeat.", body = EraseUserResponse,
            headers(("Retry-After" = u32, description = "After how many seconds to repeat."))
        ),
        ListErrors
    )
)]
pub async fn erase_user(
    permission: Authorized<EraseData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
) -> Result<Response, ApiError> {
    let count = |deleted| permission.count(deleted);
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

/// What was erased.
#[derive(Serialize, ToSchema)]
struct EraseUserResponse<'a> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Of whom.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// How many items this request erased.
    #[schema(example = 1234)]
    deleted: u64,
}
