//! A user's whole data as a stream.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use tokio::time::{Instant, timeout_at};

use super::export_format::ExportFormat;
use crate::domain::{DataTypes, ListQuery, Order, Page, PageSize, TimeRange};
use crate::http::access::{Authorized, ReadData};
use crate::http::extract::{ReadingFilter, UserPath, parse_query};
use crate::http::middleware::RequestId;
use crate::http::openapi::ListErrors;
use crate::http::overload::{AdmissionTicket, StoreScan};
use crate::http::problem::ApiError;
use crate::http::state::AppState;
use crate::telemetry::error_chain;

/// How many readings are in memory at once: as pages are read when the client
/// takes them, however slowly, it is one page.
const PAGE_SIZE: u16 = 500;

/// Export a user's readings.
///
/// Oldest measurement first, as they are streamed: as NDJSON, one reading a
/// line, or as CSV (RFC 4180), where text that a spreadsheet would take for a
/// formula has a `'` before it. The last line of a complete NDJSON export is
/// `{"complete":true,"count":n}`. An export that fails midway ends without the
/// end of the transfer, which every HTTP client reports as an error.
///
/// NDJSON lines can be sent to `/api/v1/data/batch` without `data_id` and
/// `created_at`.
#[utoipa::path(
    get, path = "/data/{user_id}/export", tag = "readings", operation_id = "export_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(
        UserPath,
        ("Accept" = Option<String>, Header, description = "`application/x-ndjson`, the default, or `text/csv`."),
        ReadingFilter
    ),
    responses(
        (
            status = 200, description = "The readings.",
            content((String = "application/x-ndjson"), (String = "text/csv")),
            headers(("Content-Disposition" = String, description = "A name for the file."))
        ),
        ListErrors
    )
)]
pub async fn export(
    permission: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    ExportQueryParams {
        data_types,
        range,
        deadline,
    }: ExportQueryParams,
    request_id: RequestId,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = ListQuery {
        user_id,
        data_types,
        range,
        order: Order::Asc,
        after: None,
        limit: PageSize::try_from(PAGE_SIZE).unwrap_or_default(),
    };
    let scan = state.store.scan().await?;
    // A store that fails at once still gets a proper answer.
    let first = scan.list(&query).await?;
    let format = ExportFormat::negotiate(&headers);
    let export = Export {
        scan,
        query,
        format,
        permission,
        page: Some(first),
        count: 0,
        deadline,
    };
    let stream = try_unfold(export, move |export| {
        let request_id = request_id.clone();
        async move {
            let part = export.next_chunk().await;
            if let Err(error) = &part {
                let (request_id, cause) = (request_id.as_str(), error_chain(error));
                tracing::error!(request_id, cause, "an export ended early");
            }
            part
        }
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (
            CONTENT_DISPOSITION,
            HeaderValue::from_static(format.disposition()),
        ),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// Which readings to export.
pub struct ExportQueryParams {
    data_types: DataTypes,
    range: TimeRange,
    /// When it is broken off.
    deadline: Instant,
}

impl<S: Send + Sync> FromRequestParts<S> for ExportQueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let mut filter = ReadingFilter::default();
        let query = parts.uri.query().unwrap_or_default();
        parse_query(query, |name, value, errors| {
            filter.accept(name, &value, errors)
        })
        .map_err(ApiError::Invalid)?;
        Ok(Self {
            deadline: AdmissionTicket::from_extensions(&parts.extensions)?.deadline(),
            range: filter.range(),
            data_types: filter.data_types().map_err(ApiError::Invalid)?,
        })
    }
}

/// How far an export has come.
struct Export {
    scan: StoreScan,
    query: ListQuery,
    format: ExportFormat,
    /// Held as long as readings go out.
    permission: Authorized<ReadData>,
    /// The page to write next, if it has been read already.
    page: Option<Page>,
    count: u64,
    deadline: Instant,
}

impl Export {
    /// The next part of the export, and how far it has come then; `None` behind
    /// the end.
    async fn next_chunk(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let is_first = self.count == 0 && self.query.after.is_none();
        let page = match self.page.take() {
            Some(page) => page,
            None if self.query.after.is_none() => return Ok(None),
            None => {
                let page = timeout_at(self.deadline, self.scan.list(&self.query)).await;
                let page = page.map_err(|_| ApiError::DeadlineExceeded);
                let page = page.and_then(|page| page.map_err(ApiError::from));
                page.inspect_err(|error| self.permission.fail(error))?
            }
        };
        self.count += page.readings.len() as u64;
        self.permission.count(page.readings.len() as u64);
        self.query.after = page.next;
        let mut part = Vec::new();
        self.format.write(&page.readings, is_first, &mut part)?;
        if page.next.is_none() {
            self.format.write_trailer(self.count, &mut part);
        }
        Ok(Some((part.into(), self)))
    }
}
