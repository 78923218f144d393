use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::Timestamp;
use url::form_urlencoded;
use utoipa::IntoParams;

use super::CursorKey;
use super::cursor::Position;
use super::error::ApiError;
use super::validation::Faults;
use crate::domain::{
    Invalid, ListQuery, MeasurementTime, Order, PageSize, ReadingId, TimeRange, UserId,
};

/// What a listing of readings may be asked for.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// At most how many readings.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<PageSize>,
    /// The `next_cursor` of the page before. It remembers `start`, `end` and
    /// `order`, which may be left out with it or given once more, unchanged.
    cursor: Option<String>,
    /// From when on, included: RFC 3339; without an offset it is UTC.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-01-01T00:00:00Z")]
    start: Option<Timestamp>,
    /// Up to when, not included.
    #[param(value_type = Option<String>, format = DateTime, example = "2024-02-01T00:00:00Z")]
    end: Option<Timestamp>,
    /// Newest measurement first (`desc`) or oldest (`asc`).
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$", default = "desc")]
    order: Option<Order>,
}

/// At most how many faults are told, as a query can hold thousands.
const MOST_FAULTS: usize = 16;

impl<S: Send + Sync> FromRequestParts<S> for ListParameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default()).map_err(ApiError::Invalid)
    }
}

impl ListParameters {
    fn parse(query: &str) -> Result<Self, Faults> {
        let mut parameters = Self::default();
        let mut faults = Faults::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "limit" => set(
                    &mut parameters.limit,
                    "/limit",
                    parse_limit(&value),
                    &mut faults,
                ),
                "cursor" => set(
                    &mut parameters.cursor,
                    "/cursor",
                    Ok(value.into_owned()),
                    &mut faults,
                ),
                "start" => set(
                    &mut parameters.start,
                    "/start",
                    parse_time(&value),
                    &mut faults,
                ),
                "end" => set(&mut parameters.end, "/end", parse_time(&value), &mut faults),
                "order" => set(
                    &mut parameters.order,
                    "/order",
                    parse_order(&value),
                    &mut faults,
                ),
                _ if faults.list().len() >= MOST_FAULTS => break,
                other => faults.add(format!("/{other}"), "is not a parameter of this request"),
            }
        }
        if faults.list().is_empty() {
            Ok(parameters)
        } else {
            Err(faults)
        }
    }

    /// The page asked for among the readings of `user_id`.
    pub fn query(self, user_id: UserId, key: &CursorKey) -> Result<ListQuery, ApiError> {
        let limit = self.limit.unwrap_or_default();
        let Some(cursor) = &self.cursor else {
            return Ok(ListQuery {
                user_id,
                range: TimeRange {
                    start: self.start,
                    end: self.end,
                },
                order: self.order.unwrap_or_default(),
                after: None,
                limit,
            });
        };
        let position = key
            .open(cursor, &user_id)
            .filter(|position| self.agrees_with(position))
            .ok_or_else(|| {
                ApiError::Invalid(Faults::one(
                    "/cursor",
                    "must be the next_cursor of a page of the same user, start, end and order",
                ))
            })?;
        Ok(ListQuery {
            user_id,
            range: position.range,
            order: position.order,
            after: Some(position.after),
            limit,
        })
    }

    /// Whether what is given beside a cursor is what the cursor remembers.
    fn agrees_with(&self, position: &Position) -> bool {
        let Position { range, order, .. } = position;
        self.order.is_none_or(|given| given == *order)
            && self.start.is_none_or(|given| Some(given) == range.start)
            && self.end.is_none_or(|given| Some(given) == range.end)
    }
}

/// The cursor of the page behind the one that ends with `last`.
pub fn next_cursor(query: &ListQuery, last: ReadingId, key: &CursorKey) -> Option<String> {
    key.seal(
        &Position {
            range: query.range,
            order: query.order,
            after: last,
        },
        &query.user_id,
    )
}

fn set<T>(
    slot: &mut Option<T>,
    pointer: &'static str,
    read: Result<T, Invalid>,
    faults: &mut Faults,
) {
    if slot.is_some() {
        faults.add(pointer, "must not be given twice");
    } else {
        *slot = faults.note(pointer, read);
    }
}

fn parse_limit(text: &str) -> Result<PageSize, Invalid> {
    // 0 is no page size either, and is refused with the same words.
    PageSize::try_from(text.parse::<u16>().unwrap_or(0))
}

fn parse_time(text: &str) -> Result<Timestamp, Invalid> {
    match MeasurementTime::parse_bound(text) {
        Ok(bound) => Ok(bound),
        Err(_) if text.contains(' ') => Err(Invalid::because(
            "must be an RFC 3339 date-time; write the + of an offset as %2B in a URL",
        )),
        Err(invalid) => Err(invalid),
    }
}

fn parse_order(text: &str) -> Result<Order, Invalid> {
    match text {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => Err(Invalid::because("must be asc or desc")),
    }
}
