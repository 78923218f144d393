//! Creation, listing, retrieval and deletion of readings.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::{json_response, large_json_response};
use super::reading_json::{NewReading, ReadingResponse};
use crate::domain::{Measurement, Reading, ReadingId};
use crate::http::access::{Authorized, EraseData, ReadData, WriteData};
use crate::http::extract::{
    Json, ListQueryParams, ReadingFilter, ReadingPath, UserPath, next_cursor,
};
use crate::http::openapi::{ListErrors, ReadingErrors, WriteErrors};
use crate::http::overload::AdmissionTicket;
use crate::http::problem::ApiError;
use crate::http::state::AppState;
use crate::store::PutResult;

/// Create a reading
///
/// The reading is durable when the response is sent. Sending the same reading
/// again is idempotent.
#[utoipa::path(
    post, path = "/data", tag = "readings", operation_id = "create_reading",
    security(("api_key" = ["data:write"]), ("token" = ["data:write"])),
    request_body(
        content = NewReading, description = "Reading to create.",
        example = json!({
            "user_id": "user123",
            "data_type": "heart_rate",
            "value": 72,
            "timestamp": "2024-01-15T10:30:00Z",
            "unit": "/min",
            "metadata": {"device": "watch"}
        })
    ),
    responses((status = 200, description = "Reading stored, or superseded by a higher version.", body = CreateReadingResponse), WriteErrors)
)]
pub async fn create(
    _: Authorized<WriteData>,
    State(state): State<AppState>,
    body: Json<Measurement>,
) -> Result<Response, ApiError> {
    let reading = Reading::accept(body.value, state.clock.now());
    let outcome = state.store.put(reading).await?;
    json_response(&CreateReadingResponse::from(&outcome))
}

/// List readings
///
/// Sorted by time of measurement, newest first by default. The list of an unknown
/// user is empty.
///
/// Following `next_cursor` until it is null returns every reading that existed at
/// the first page exactly once, regardless of concurrent writes. With `data_type`
/// on DynamoDB, the index is eventually consistent: readings written in the last
/// moments, usually less than a second, may be missing, and deleted or erased ones
/// may still appear.
///
/// A page may have fewer readings than `limit` although there are more: it ends
/// after 4 MiB of metadata. With `data_type` on a DynamoDB table without the
/// index by type, it may even be empty.
///
/// Stored readings that cannot be decoded are skipped, and many of them also shorten
/// a page. Getting one by its id fails with 500.
#[utoipa::path(
    get, path = "/data/{user_id}", tag = "readings", operation_id = "list_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(UserPath, ListQueryParams, ReadingFilter),
    responses((status = 200, description = "Page of readings.", body = ListReadingsResponse), ListErrors)
)]
pub async fn list(
    authorized: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    parameters: ListQueryParams,
    ticket: AdmissionTicket,
) -> Result<Response, ApiError> {
    let query = parameters.query(user_id, &state.cursor_keys)?;
    let (page, memory) = state.store.list(&query, &ticket).await?;
    authorized.count(page.readings.len() as u64);
    let list = ListReadingsResponse {
        success: true,
        user_id: query.user_id.as_str(),
        data: page.readings.iter().map(ReadingResponse::from).collect(),
        count: page.readings.len(),
        next_cursor: page
            .next
            .and_then(|last| next_cursor(&query, last, &state.cursor_keys)),
    };
    large_json_response(&list, memory)
}

/// Get a reading
#[utoipa::path(
    get, path = "/data/{user_id}/{data_id}", tag = "readings", operation_id = "get_reading",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(ReadingPath),
    responses((status = 200, description = "The requested reading.", body = GetReadingResponse), ReadingErrors)
)]
pub async fn read(
    authorized: Authorized<ReadData>,
    State(state): State<AppState>,
    ReadingPath { user_id, id }: ReadingPath,
) -> Result<Response, ApiError> {
    let reading = state.store.get(&user_id, id).await?;
    let reading = reading.ok_or(ApiError::ReadingNotFound)?;
    authorized.count(1);
    json_response(&GetReadingResponse {
        success: true,
        data: ReadingResponse::from(&reading),
    })
}

/// Delete a reading
#[utoipa::path(
    delete, path = "/data/{user_id}/{data_id}", tag = "readings", operation_id = "delete_reading",
    security(("api_key" = ["data:erase"]), ("token" = ["data:erase"])),
    params(ReadingPath),
    responses((status = 200, description = "Reading deleted successfully.", body = DeleteReadingResponse), ReadingErrors)
)]
pub async fn delete(
    authorized: Authorized<EraseData>,
    State(state): State<AppState>,
    ReadingPath { user_id, id }: ReadingPath,
) -> Result<Response, ApiError> {
    if state.store.delete(&user_id, id).await? {
        authorized.count(1);
        json_response(&DeleteReadingResponse {
            success: true,
            deleted: 1,
        })
    } else {
        Err(ApiError::ReadingNotFound)
    }
}

/// Result of storing a reading.
#[derive(Serialize, ToSchema)]
struct CreateReadingResponse<'a> {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Constant text, kept for older clients.
    #[schema(example = "Health data stored successfully")]
    message: &'static str,
    /// Id of the reading, derived from its contents or its client record id.
    #[schema(value_type = String, format = Uuid, example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    data_id: ReadingId,
    /// Reading that is stored now.
    data: ReadingResponse<'a>,
    /// Status of the reading that was sent.
    result: CreateReadingStatus,
}

/// Status of a reading that was sent: `stored` (now or by an earlier request) or
/// `superseded` (a higher version of the client record is stored).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CreateReadingStatus {
    /// Stored, now or by an earlier request.
    Stored,
    /// A higher version of the client record is stored.
    Superseded,
}

impl<'a> From<&'a PutResult> for CreateReadingResponse<'a> {
    fn from(outcome: &'a PutResult) -> Self {
        let (reading, result): (&Reading, _) = match outcome {
            PutResult::Stored(reading) => (reading, CreateReadingStatus::Stored),
            PutResult::Superseded(stored) => (stored, CreateReadingStatus::Superseded),
        };
        Self {
            success: true,
            message: "Health data stored successfully",
            data_id: reading.id,
            data: ReadingResponse::from(reading),
            result,
        }
    }
}

/// Page of a user's readings.
#[derive(Serialize, ToSchema)]
struct ListReadingsResponse<'a> {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Id of the user.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// Readings of the page, in the requested order.
    data: Vec<ReadingResponse<'a>>,
    /// Number of readings in the page.
    #[schema(example = 1)]
    count: usize,
    /// Cursor of the next page, to be sent as `cursor`; null on the last page.
    #[schema(required, example = json!(null))]
    next_cursor: Option<String>,
}

/// A single reading.
#[derive(Serialize, ToSchema)]
struct GetReadingResponse<'a> {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Requested reading of the user.
    data: ReadingResponse<'a>,
}

/// Result of deleting a reading.
#[derive(Serialize, ToSchema)]
struct DeleteReadingResponse {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Number of deleted readings.
    #[schema(example = 1)]
    deleted: u64,
}
