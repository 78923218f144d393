use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use utoipa::IntoParams;

use super::filter::{ReadingFilter, parse_query, set_once};
use crate::domain::{DataTypes, TimeRange, ValidationError};
use crate::http::problem::{ApiError, ValidationErrors};
use crate::http::state::AppState;
use crate::summaries::CalendarPeriod;

/// Length of the range in local days if `start` is absent.
const DEFAULT_DAYS: i64 = 30;

/// Query parameters of a summary besides the filter.
#[derive(Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SummaryPeriodParams {
    /// Calendar period of each bucket, in local time.
    #[param(value_type = Option<String>, pattern = "^(hour|day|week|month)$", default = "day")]
    bucket: Option<CalendarPeriod>,
    /// IANA name of the time zone of the calendar.
    #[param(value_type = Option<String>, min_length = 1, default = "UTC", example = "Europe/Athens")]
    tz: Option<TimeZone>,
}

/// Validated query parameters of a summary.
pub struct SummaryQueryParams {
    /// Data types to summarize.
    pub data_types: DataTypes,
    /// Time range, bounded on both sides.
    pub range: TimeRange,
    /// Calendar period of each bucket.
    pub period: CalendarPeriod,
    /// Time zone of the calendar.
    pub zone: TimeZone,
}

impl FromRequestParts<AppState> for SummaryQueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Self::parse(query, state.clock.now()).map_err(ApiError::Invalid)
    }
}

impl SummaryQueryParams {
    fn parse(query: &str, now: Timestamp) -> Result<Self, ValidationErrors> {
        let mut parameters = SummaryPeriodParams::default();
        let mut filter = ReadingFilter::default();
        parse_query(query, |name, value, errors| {
            let SummaryPeriodParams { bucket, tz } = &mut parameters;
            match name {
                "bucket" => set_once(bucket, "/bucket", parse_period(&value), errors),
                "tz" => set_once(tz, "/tz", parse_zone(&value), errors),
                _ => return filter.accept(name, &value, errors),
            }
            true
        })?;
        let zone = parameters.tz.unwrap_or(TimeZone::UTC);
        Ok(Self {
            range: bounded(filter.range(), now, &zone),
            data_types: filter.data_types()?,
            period: parameters.bucket.unwrap_or(CalendarPeriod::Day),
            zone,
        })
    }
}

/// Bounds the range: `end` defaults to the end of the local day of `now`, `start`
/// to 30 local days before the end.
fn bounded(range: TimeRange, now: Timestamp, zone: &TimeZone) -> TimeRange {
    let beginning = |instant: Timestamp, days: i64| {
        let date = zone.to_datetime(instant).date();
        let date = date.saturating_add(Span::new().days(days));
        date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp())
    };
    let end = range
        .end
        .unwrap_or_else(|| beginning(now, 1).unwrap_or(Timestamp::MAX));
    let start = range.start.unwrap_or_else(|| {
        // The end is exclusive: midnight belongs to the day before it.
        let last = end.checked_sub(Span::new().nanoseconds(1)).unwrap_or(end);
        beginning(last, 1 - DEFAULT_DAYS).unwrap_or(Timestamp::MIN)
    });
    TimeRange {
        start: Some(start),
        end: Some(end),
    }
}

fn parse_period(text: &str) -> Result<CalendarPeriod, ValidationError> {
    match text {
        "hour" => Ok(CalendarPeriod::Hour),
        "day" => Ok(CalendarPeriod::Day),
        "week" => Ok(CalendarPeriod::Week),
        "month" => Ok(CalendarPeriod::Month),
        _ => Err(ValidationError::new("must be hour, day, week or month")),
    }
}

fn parse_zone(text: &str) -> Result<TimeZone, ValidationError> {
    TimeZone::get(text).map_err(|_| {
        ValidationError::new("must be the IANA name of a time zone, such as Europe/Athens")
    })
}
