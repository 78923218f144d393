//! Summaries of a user's readings.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::json_response::json_response;
use crate::domain::{ListQuery, Order, PageSize};
use crate::http::access::{Authorized, ReadData};
use crate::http::extract::{ReadingFilter, SummaryPeriodParams, SummaryQueryParams, UserPath};
use crate::http::openapi::SummaryErrors;
use crate::http::problem::{ApiError, ValidationErrors};
use crate::http::state::AppState;
use crate::summaries::{
    CalendarPeriod, Coverage, Direction, MedianMethod, PeriodSummary, SeriesSummary, Strength,
    Summarizer, SummaryLimitExceeded,
};

/// How long a request reads: less than a load balancer waits for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(25);

/// Sum up a user's readings.
///
/// By local calendar periods and data type, in one pass. Readings of one type
/// with different `metadata.granularity`, or in different units, are summed up
/// apart, as adding them up would count things twice. Without `start`, the
/// range begins 30 local days before its end; without `end` it ends with the
/// local day of now. At most 100 series and 20,000 buckets.
#[utoipa::path(
    get, path = "/data/{user_id}/summary", tag = "readings", operation_id = "summarize_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(
        UserPath,
        ReadingFilter, SummaryPeriodParams
    ),
    responses((status = 200, description = "The summaries.", body = SummaryResponse), SummaryErrors)
)]
pub async fn summarize(
    permission: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    parameters: SummaryQueryParams,
) -> Result<Response, ApiError> {
    let SummaryQueryParams {
        data_types,
        range,
        period,
        zone,
    } = parameters;
    let mut query = ListQuery {
        user_id,
        data_types,
        range,
        order: Order::Asc,
        after: None,
        limit: PageSize::MAX,
    };
    let deadline = Instant::now() + READ_TIMEOUT;
    let scan = state.store.scan().await?;
    let mut summarizer = Summarizer::new(range, period, zone.clone(), state.clock.now());
    loop {
        let page = scan.list(&query).await?;
        permission.count(page.readings.len() as u64);
        for reading in &page.readings {
            summarizer.push(reading).map_err(limit_exceeded)?;
        }
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
        if Instant::now() >= deadline {
            return Err(ApiError::QueryTooExpensive);
        }
    }
    let series = summarizer.finish();
    let local = LocalTimeFormatter(&zone);
    json_response(&SummaryResponse {
        success: true,
        user_id: query.user_id.as_str(),
        start: range.start.map(|start| local.time(start)),
        end: range.end.map(|end| local.time(end)),
        bucket: match period {
            CalendarPeriod::Hour => "hour",
            CalendarPeriod::Day => "day",
            CalendarPeriod::Week => "week",
            CalendarPeriod::Month => "month",
        },
        tz: zone.iana_name().unwrap_or("UTC"),
        summaries: series.iter().map(|series| local.series(series)).collect(),
    })
}

fn limit_exceeded(limit: SummaryLimitExceeded) -> ApiError {
    let pointer = match limit {
        SummaryLimitExceeded::Periods => "/bucket",
        SummaryLimitExceeded::Series => "/data_type",
    };
    ApiError::Invalid(ValidationErrors::single(pointer, limit))
}

/// Writes times as the clocks of a zone show them.
struct LocalTimeFormatter<'a>(&'a TimeZone);

impl LocalTimeFormatter<'_> {
    fn time(&self, instant: Timestamp) -> String {
        match self.0.to_offset(instant) {
            Offset::UTC => instant.to_string(),
            offset => instant.display_with_offset(offset).to_string(),
        }
    }

    fn series<'a>(&self, series: &'a SeriesSummary) -> TypeSummary<'a> {
        let Coverage {
            days_with_data,
            days,
        } = series.coverage;
        let bucket = |period| self.bucket(period, series.is_cumulative);
        TypeSummary {
            data_type: series.data_type.as_str(),
            granularity: series.granularity.as_deref(),
            unit: series.unit.as_deref(),
            count: series.periods.iter().map(|period| period.count).sum(),
            buckets: series.periods.iter().map(bucket).collect(),
            coverage: CoverageSummary {
                days_with_data,
                days,
                share: f64::from(days_with_data) / f64::from(days.max(1)),
            },
            baseline: series.baseline.ok().map(|baseline| BaselineSummary {
                median: baseline.median,
                mad: baseline.deviation,
                days: baseline.days,
            }),
            baseline_reason: series.baseline.err().map(|reason| reason.to_string()),
            trend: series.trend.ok().map(|trend| TrendSummary {
                slope_per_day: trend.slope_per_day,
                direction: trend.direction,
                strength: trend.strength,
                days: trend.days,
            }),
            trend_reason: series.trend.err().map(|reason| reason.to_string()),
        }
    }

    fn bucket(&self, period: &PeriodSummary, is_cumulative: bool) -> SummaryBucket {
        SummaryBucket {
            start: self.time(period.interval.start),
            end: self.time(period.interval.end),
            count: period.count,
            min: period.min,
            max: period.max,
            mean: period.mean(),
            median: period.median.value,
            median_method: match period.median.method {
                MedianMethod::Exact => "exact",
                MedianMethod::Sketch => "sketch",
            },
            sum: is_cumulative.then_some(period.sum),
            first: period.first,
            last: period.last,
        }
    }
}

/// A user's readings, summed up.
#[derive(Serialize, ToSchema)]
struct SummaryResponse<'a> {
    /// Always `true`.
    #[schema(example = true)]
    success: bool,
    /// Whose they are.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// From when on they were looked at, included.
    #[schema(value_type = String, format = DateTime)]
    start: Option<String>,
    /// Up to when, not included.
    #[schema(value_type = String, format = DateTime)]
    end: Option<String>,
    /// By which periods.
    #[schema(example = "day")]
    bucket: &'static str,
    /// The time zone of the periods.
    #[schema(example = "Europe/Athens")]
    tz: &'a str,
    /// One for each data type, granularity and unit.
    summaries: Vec<TypeSummary<'a>>,
}

/// The readings of one data type, granularity and unit.
#[derive(Serialize, ToSchema)]
struct TypeSummary<'a> {
    /// What was measured.
    #[schema(example = "steps")]
    data_type: &'a str,
    /// Over how long each reading was, as its `metadata.granularity` says: its
    /// text, or as JSON what is no text, such as `60`.
    #[schema(required, example = json!(null))]
    granularity: Option<&'a str>,
    /// The unit: the reading's own, that of its `metadata.unit`, or the usual
    /// one of a data type that is known, which also stands for other spellings
    /// of it.
    #[schema(required, example = "{steps}")]
    unit: Option<&'a str>,
    /// How many readings.
    #[schema(example = 2)]
    count: u64,
    /// The periods in which there are readings, oldest first.
    buckets: Vec<SummaryBucket>,
    /// On how many local days of the range there are readings.
    coverage: CoverageSummary,
    /// What is usual for a day.
    #[schema(required)]
    baseline: Option<BaselineSummary>,
    /// Why there is no baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_reason: Option<String>,
    /// How days change.
    #[schema(required)]
    trend: Option<TrendSummary>,
    /// Why there is no trend.
    #[serde(skip_serializing_if = "Option::is_none")]
    trend_reason: Option<String>,
}

/// The readings of a period.
#[derive(Serialize, ToSchema)]
struct SummaryBucket {
    /// The beginning of the period, included.
    #[schema(format = DateTime, example = "2021-10-31T00:00:00+03:00")]
    start: String,
    /// Its end, not included.
    #[schema(format = DateTime, example = "2021-11-01T00:00:00+02:00")]
    end: String,
    /// How many readings.
    #[schema(example = 2)]
    count: u64,
    /// The least value.
    min: f64,
    /// The greatest value.
    max: f64,
    /// The arithmetic mean.
    mean: f64,
    /// The value in the middle.
    median: f64,
    /// `exact`, where an even number has the mean of the two in the middle; or,
    /// of more than 10,000 readings, `sketch`: within 1 percent of one in the
    /// middle, for magnitudes above 1e-9.
    #[schema(pattern = "^(exact|sketch)$", example = "exact")]
    median_method: &'static str,
    /// Their sum, for data types that add up.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    /// The oldest value.
    first: f64,
    /// The newest value.
    last: f64,
}

/// On how many local days of the range there are readings.
#[derive(Serialize, ToSchema)]
struct CoverageSummary {
    /// Days with readings.
    #[schema(example = 24)]
    days_with_data: u32,
    /// Days of the range.
    #[schema(example = 30)]
    days: u32,
    /// The one divided by the other.
    #[schema(example = 0.8)]
    share: f64,
}

/// What one number for each day usually is: of a day's readings the sum, mean,
/// median or last, as fits the data type. It rests on the newest days of the
/// range, up to 180; for data types that add up only on days that are over and
/// that the range does not cut.
#[derive(Serialize, ToSchema)]
struct BaselineSummary {
    /// The median of the days.
    median: f64,
    /// The median of their absolute deviations from it.
    mad: f64,
    /// On how many days it rests, at least 7.
    days: usize,
}

/// How the same numbers change.
#[derive(Serialize, ToSchema)]
struct TrendSummary {
    /// By how much a day: Sen's slope.
    slope_per_day: f64,
    /// Which way, if Mann and Kendall's test tells it from chance.
    direction: Direction,
    /// How plainly, by Kendall's τ.
    strength: Strength,
    /// On how many days it rests, at least 10.
    days: usize,
}
