//! Export of all readings of a user, as a stream.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use tokio::time::timeout_at;

use super::export_format::ExportFormat;
use crate::domain::{DataTypes, ListQuery, Order, Page, PageSize, TimeRange};
use crate::http::access::{Authorized, ReadData};
use crate::http::extract::{ReadingFilter, UserPath, parse_query};
use crate::http::middleware::RequestId;
use crate::http::openapi::ListErrors;
use crate::http::overload::{AdmissionTicket, GuardedBody, StoreScan};
use crate::http::problem::ApiError;
use crate::http::state::AppState;
use crate::telemetry::error_chain;

/// Readings of the first page. A page is read when the client has taken the one before,
/// so an export holds one page in memory.
const FIRST_PAGE_SIZE: u16 = 50;

/// Most readings of a page.
const MAX_PAGE_SIZE: usize = 500;

/// Size of a formatted page that the number of its readings aims at: small enough to be
/// formatted within a millisecond and to be held for a slow client.
const PAGE_BYTES: usize = 256 * 1024;

/// Export a user's readings
///
/// Streams readings by time of measurement, oldest first: as NDJSON with one
/// reading per line, or as CSV (RFC 4180). In CSV, text that a spreadsheet would
/// interpret as a formula is prefixed with `'`. The last line of a complete
/// NDJSON export is `{"complete":true,"count":n}`. An export that fails midway
/// ends without completing its transfer, which HTTP clients report as an error.
///
/// NDJSON lines can be sent to `/api/v1/data/batch` after removing `data_id` and
/// `created_at`.
#[utoipa::path(
    get, path = "/data/{user_id}/export", tag = "readings", operation_id = "export_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(
        UserPath,
        ("Accept" = Option<String>, Header, description = "Export format: `application/x-ndjson` (default) or `text/csv`."),
        ReadingFilter
    ),
    responses(
        (
            status = 200, description = "Readings in the requested format.",
            content((String = "application/x-ndjson"), (String = "text/csv")),
            headers(("Content-Disposition" = String, description = "Suggested file name."))
        ),
        ListErrors
    )
)]
pub async fn export(
    authorized: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    ExportQueryParams { data_types, range }: ExportQueryParams,
    request_id: RequestId,
    ticket: AdmissionTicket,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let limit = PageSize::try_from(FIRST_PAGE_SIZE).unwrap_or_default();
    let query = ListQuery {
        user_id,
        data_types,
        range,
        order: Order::Asc,
        after: None,
        limit,
    };
    let scan = state.store.export(limit, &ticket).await?;
    // Read before the response starts, so that a failing store gives an error
    // response.
    let first = scan.list(&query).await?;
    let format = ExportFormat::negotiate(&headers);
    let export = Export {
        scan,
        query,
        format,
        authorized,
        page: Some(first),
        count: 0,
        ticket,
    };
    let stream = try_unfold(export, move |export| {
        let request_id = request_id.clone();
        async move {
            let part = export.next_chunk().await;
            if let Err(error) = &part {
                let (request_id, cause) = (request_id.as_str(), error_chain(error));
                tracing::error!(request_id, cause, "export aborted");
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
    // The pages have memory of their own.
    let body = GuardedBody::new(Body::from_stream(stream), ());
    Ok((headers, Body::new(body)).into_response())
}

/// Query parameters of an export.
pub struct ExportQueryParams {
    data_types: DataTypes,
    range: TimeRange,
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
            range: filter.range(),
            data_types: filter.data_types().map_err(ApiError::Invalid)?,
        })
    }
}

/// Export in progress.
struct Export {
    scan: StoreScan,
    query: ListQuery,
    format: ExportFormat,
    /// Kept until the stream ends, when the audit record is written.
    authorized: Authorized<ReadData>,
    /// Page that was read but not written yet.
    page: Option<Page>,
    count: u64,
    ticket: AdmissionTicket,
}

impl Export {
    /// Returns the next chunk and the export after it; `None` at the end.
    async fn next_chunk(mut self) -> Result<Option<(Bytes, Self)>, ApiError> {
        let is_first = self.count == 0 && self.query.after.is_none();
        let page = match self.page.take() {
            Some(page) => page,
            None if self.query.after.is_none() => return Ok(None),
            None => {
                let page = timeout_at(self.ticket.deadline(), self.read_page()).await;
                let page = page.unwrap_or(Err(ApiError::DeadlineExceeded));
                page.inspect_err(|error| self.authorized.fail(error))?
            }
        };
        self.count += page.readings.len() as u64;
        self.authorized.count(page.readings.len() as u64);
        self.query.after = page.next;
        let mut part = Vec::new();
        self.format.write(&page.readings, is_first, &mut part)?;
        if page.next.is_none() {
            self.format.write_trailer(self.count, &mut part);
        }
        self.query.limit = next_page_size(page.readings.len(), part.len());
        self.scan.shrink_to(part.capacity());
        Ok(Some((part.into(), self)))
    }

    /// Reads the next page. An export has a place among the scans only meanwhile, so
    /// that slow clients keep none.
    async fn read_page(&mut self) -> Result<Page, ApiError> {
        let deadline = self.ticket.deadline();
        // The client has taken the page before: an export that waits holds nothing.
        self.scan.shrink_to(0);
        self.scan.lease_page(self.query.limit, deadline).await?;
        self.ticket.take_place_until_deadline().await?;
        let page = self.scan.list(&self.query).await;
        self.ticket.release_place();
        Ok(page?)
    }
}

/// Returns the size of the page after one of `readings` readings and `bytes` bytes.
fn next_page_size(readings: usize, bytes: usize) -> PageSize {
    let fitting = PAGE_BYTES * readings.max(1) / bytes.max(1);
    let fitting = fitting.clamp(1, MAX_PAGE_SIZE);
    u16::try_from(fitting)
        .ok()
        .and_then(|size| PageSize::try_from(size).ok())
        .unwrap_or_default()
}
