//! Storing readings, and giving them back.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::json_response;
use super::reading_json::{NewReading, ReadingResponse};
use crate::domain::{Measurement, Reading, ReadingId};
use crate::http::access::{Authorized, EraseData, ReadData, WriteData};
use crate::http::extract::{
    Json, ListQueryParams, ReadingFilter, ReadingPath, UserPath, next_cursor,
};
use crate::http::openapi::{ListErrors, ReadingErrors, WriteErrors};
use crate::http::problem::ApiError;
use crate::http::state::AppState;
use crate::store::PutResult;

/// Store a reading.
///
/// When this answers, the reading is durable. Sending the same reading again is
/// safe and changes nothing.
#[utoipa::path(
    post, path = "/data", tag = "readings", operation_id = "create_reading",
    security(("api_key" = ["data:write"]), ("token" = ["data:write"])),
    request_body(
        content = NewReading, description = "The reading.",
        example = json!({
            "user_id": "user123",
            "data_type": "heart_rate",
            "value": 72,
            "timestamp": "2024-01-15T10:30:00Z",
            "unit": "/min",
            "metadata": {"device": "watch"}
        })
    ),
    responses((status = 200, description = "It is stored.", body = CreateReadingResponse), WriteErrors)
)]
pub async fn create(
    _: Authorized<WriteData>,
    State(state): State<AppState>,
    Json(measurement): Json<Measurement>,
) -> Result<Response, ApiError> {
    let reading = Reading::accept(measurement, state.clock.now());
    let outcome = state.store.put(reading).await?;
    json_response(&CreateReadingResponse::from(&outcome))
}

/// List a user's readings.
///
/// By measurement time, newest first. An unknown user has an empty list.
///
/// Walking all pages gives every reading that was there when the walk began
/// exactly once, whatever is written meanwhile. With `data_type`, where the
/// readings are kept in DynamoDB, it lags behind: what was written within the
/// last moments, mostly less than a second, may be missing, and what was just
/// deleted or erased may still be there.
///
/// A page may hold fewer readings than `limit` and a `next_cursor` all the same:
/// it ends after 4 MiB of metadata, and with `data_type`, where the table in
/// DynamoDB has no index by type, it may even be empty. Walk on until
/// `next_cursor` is null.
#[utoipa::path(
    get, path = "/data/{user_id}", tag = "readings", operation_id = "list_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(UserPath, ListQueryParams, ReadingFilter),
    responses((status = 200, description = "A page of readings.", body = ListReadingsResponse), ListErrors)
)]
pub async fn list(
    permission: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    parameters: ListQueryParams,
) -> Result<Response, ApiError> {
    let query = parameters.query(user_id, &state.cursor_keys)?;
    let page = state.store.list(&query).await?;
    permission.count(page.readings.len() as u64);
    json_response(&ListReadingsResponse {
        success: true,
        user_id: query.user_id.as_str(),
        data: page.readings.iter().map(ReadingResponse::from).collect(),
        count: page.readings.len(),
        next_cursor: page
            .next
            .and_then(|last| next_cursor(&query, last, &state.cursor_keys)),
    })
}

/// Get one reading.
#[utoipa::path(
    get, path = "/data/{user_id}/{data_id}", tag = "readings", operation_id = "get_reading",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(ReadingPath),
    responses((status = 200, description = "The reading.", body = GetReadingResponse), ReadingErrors)
)]
pub async fn read(
    permission: Authorized<ReadData>,
    State(state): State<AppState>,
    ReadingPath { user_id, id }: ReadingPath,
) -> Result<Response, ApiError> {
    let reading = state.store.get(&user_id, id).await?;
    let reading = reading.ok_or(ApiError::ReadingNotFound)?;
    permission.count(1);
    json_response(&GetReadingResponse {
        success: true,
        data: ReadingResponse::from(&reading),
    })
}

/// Delete one reading.
#[utoipa::path(
    delete, path = "/data/{user_id}/{data_id}", tag = "readings", operation_id = "delete_reading",
    security(("api_key" = ["data:erase"]), ("token" = ["data:erase"])),
    params(ReadingPath),
    responses((status = 200, description = "It is gone.", body = DeleteReadingResponse), ReadingErrors)
)]
pub async fn delete(
    permission: Authorized<EraseData>,
    State(state): State<AppState>,
    ReadingPath { user_id, id }: ReadingPath,
) -> Result<Response, ApiError> {
    if state.store.delete(&user_id, id).await? {
        permission.count(1);
        json_response(&DeleteReadingResponse {
            success: true,
            deleted: 1,
        })
    } else {
        Err(ApiError::ReadingNotFound)
    }
}

/// What became of a reading.
#[derive(Serialize, ToSchema)]
struct CreateReadingResponse<'a> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Always the same.
    #[schema(example = "Health data stored successfully")]
    message: &'static str,
    /// The id of the reading.
    #[schema(value_type = String, format = Uuid, example = "018d0cab-c440-85d0-a3ae-7ec39b0fdb2e")]
    data_id: ReadingId,
    /// The reading that is held now.
    data: ReadingResponse<'a>,
    /// Whether it is this one.
    result: CreateReadingStatus,
}

/// Whether the reading sent is the one that is held.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CreateReadingStatus {
    /// It is held, now or since an earlier time.
    Stored,
    /// A higher version of the client's record is held.
    Superseded,
}

impl<'a> From<&'a PutResult> for CreateReadingResponse<'a> {
    fn from(outcome: &'a PutResult) -> Self {
        let (reading, result): (&Reading, _) = match outcome {
            PutResult::Stored(reading) => (reading, CreateReadingStatus::Stored),
            PutResult::Superseded(held) => (held, CreateReadingStatus::Superseded),
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

/// A page of readings.
#[derive(Serialize, ToSchema)]
struct ListReadingsResponse<'a> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Whose they are.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// The readings, in the order asked for.
    data: Vec<ReadingResponse<'a>>,
    /// How many they are.
    #[schema(example = 1)]
    count: usize,
    /// What to send as `cursor` for the next page; null when there is none.
    #[schema(required, example = json!(null))]
    next_cursor: Option<String>,
}

/// One reading.
#[derive(Serialize, ToSchema)]
struct GetReadingResponse<'a> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// The reading.
    data: ReadingResponse<'a>,
}

/// How many readings were deleted.
#[derive(Serialize, ToSchema)]
struct DeleteReadingResponse {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// How many.
    #[schema(example = 1)]
    deleted: u64,
}
