use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;

use super::cursor::{CursorKeys, CursorPosition};
use super::filter::{ReadingFilter, parse_query, set_once};
use crate::domain::{
    DataTypes, ListQuery, Order, PageSize, ReadingId, TimeRange, UserId, ValidationError,
};
use crate::http::problem::{ApiError, ValidationErrors};

/// Query parameters of a list.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQueryParams {
    /// Maximum number of readings in the page.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<PageSize>,
    /// `next_cursor` of the previous page. It includes `data_type`, `start`,
    /// `end` and `order`, which may be omitted or repeated unchanged.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// Order by time of measurement: newest first (`desc`) or oldest first
    /// (`asc`).
    #[param(value_type = Option<String>, pattern = "^(asc|desc)$", default = "desc")]
    order: Option<Order>,
    #[param(ignore)]
    range: TimeRange,
    #[param(ignore)]
    data_types: DataTypes,
}

impl<S: Send + Sync> FromRequestParts<S> for ListQueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default()).map_err(ApiError::Invalid)
    }
}

impl ListQueryParams {
    fn parse(query: &str) -> Result<Self, ValidationErrors> {
        let mut parameters = Self::default();
        let mut filter = ReadingFilter::default();
        parse_query(query, |name, value, errors| {
            let Self {
                limit,
                cursor,
                order,
                ..
            } = &mut parameters;
            match name {
                "limit" => set_once(limit, "/limit", parse_limit(&value), errors),
                "cursor" => set_once(cursor, "/cursor", Ok(value.into_owned()), errors),
                "order" => set_once(order, "/order", parse_order(&value), errors),
                _ => return filter.accept(name, &value, errors),
            }
            true
        })?;
        parameters.range = filter.range();
        parameters.data_types = filter.data_types()?;
        Ok(parameters)
    }

    /// Builds the query for the readings of `user_id`.
    pub fn query(self, user_id: UserId, keys: &CursorKeys) -> Result<ListQuery, ApiError> {
        let limit = self.limit.unwrap_or_default();
        let Some(cursor) = &self.cursor else {
            return Ok(ListQuery {
                user_id,
                data_types: self.data_types,
                range: self.range,
                order: self.order.unwrap_or_default(),
                after: None,
                limit,
            });
        };
        let position = keys
            .decode(cursor, &user_id)
            .filter(|position| self.agrees_with(position))
            .ok_or_else(|| {
                ApiError::Invalid(ValidationErrors::single(
                    "/cursor",
                    "must be the next_cursor of a page of the same user, data_type, start, end and order",
                ))
            })?;
        Ok(ListQuery {
            user_id,
            data_types: position.data_types,
            range: position.range,
            order: position.order,
            after: Some(position.after),
            limit,
        })
    }

    /// Returns whether parameters given alongside a cursor equal those in the
    /// cursor.
    fn agrees_with(&self, position: &CursorPosition) -> bool {
        let CursorPosition {
            data_types,
            range,
            order,
            ..
        } = position;
        self.order.is_none_or(|given| given == *order)
            && self
                .range
                .start
                .is_none_or(|given| Some(given) == range.start)
            && self.range.end.is_none_or(|given| Some(given) == range.end)
            && (self.data_types.is_all() || self.data_types == *data_types)
    }
}

/// Encodes the cursor of the page after `last`.
pub fn next_cursor(query: &ListQuery, last: ReadingId, keys: &CursorKeys) -> Option<String> {
    keys.encode(
        &CursorPosition {
            data_types: query.data_types.clone(),
            range: query.range,
            order: query.order,
            after: last,
        },
        &query.user_id,
    )
}

fn parse_limit(text: &str) -> Result<PageSize, ValidationError> {
    // 0 is out of range too, so it gives the same error.
    PageSize::try_from(text.parse::<u16>().unwrap_or(0))
}

fn parse_order(text: &str) -> Result<Order, ValidationError> {
    match text {
        "asc" => Ok(Order::Asc),
        "desc" => Ok(Order::Desc),
        _ => Err(ValidationError::new("must be asc or desc")),
    }
}
