//! Summaries of a user's readings by calendar period.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::json_response::leased_json_response;
use crate::domain::{ListQuery, Order, PageSize};
use crate::http::access::{Authorized, ReadData};
use crate::http::extract::{ReadingFilter, SummaryPeriodParams, SummaryQueryParams, UserPath};
use crate::http::openapi::SummaryErrors;
use crate::http::overload::{AdmissionTicket, run_blocking};
use crate::http::problem::{ApiError, ValidationErrors};
use crate::http::state::AppState;
use crate::summaries::{
    CalendarPeriod, Coverage, Direction, MedianMethod, PeriodSummary, SeriesSummary, Strength,
    Summarizer, SummaryLimitExceeded,
};

/// Time that one request spends on reading, below the response timeout of load
/// balancers.
const READ_TIMEOUT: Duration = Duration::from_secs(25);

/// Memory of a summary: a page of readings, the numbers of exact medians in
/// [`Summarizer::MAX_SERIES`] series, and the buckets.
const SUMMARY_BYTES: usize = 20 * 1024 * 1024;

/// Summarize a user's readings
///
/// Aggregates readings by local calendar period and data type. Readings of one
/// type with different `metadata.granularity` or different units form separate
/// series, as adding them up would count values twice. `start` defaults to 30
/// local days before `end`, and `end` to the end of the current local day. A
/// response has at most 100 series and 20,000 buckets.
#[utoipa::path(
    get, path = "/data/{user_id}/summary", tag = "readings", operation_id = "summarize_readings",
    security(("api_key" = ["data:read"]), ("token" = ["data:read"])),
    params(
        UserPath,
        ReadingFilter, SummaryPeriodParams
    ),
    responses((status = 200, description = "Summaries of the readings.", body = SummaryResponse), SummaryErrors)
)]
pub async fn summarize(
    authorized: Authorized<ReadData>,
    State(state): State<AppState>,
    UserPath { user_id }: UserPath,
    parameters: SummaryQueryParams,
    ticket: AdmissionTicket,
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
    let scan = state.store.scan(SUMMARY_BYTES, &ticket).await?;
    let mut summarizer = Summarizer::new(range, period, zone.clone(), state.clock.now());
    loop {
        let page = scan.list(&query).await?;
        authorized.count(page.readings.len() as u64);
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
    // Trends, and a response of thousands of buckets, take milliseconds.
    let render = move || {
        let series = summarizer.finish();
        let local = LocalTimeFormatter(&zone);
        let summary = SummaryResponse {
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
        };
        serde_json::to_vec(&summary).map_err(ApiError::Serialization)
    };
    let json = run_blocking(render).await??;
    let response = leased_json_response(json, &state.admission, &ticket).await;
    drop(scan);
    response
}

fn limit_exceeded(limit: SummaryLimitExceeded) -> ApiError {
    let pointer = match limit {
        SummaryLimitExceeded::Periods => "/bucket",
        SummaryLimitExceeded::Series => "/data_type",
    };
    ApiError::Invalid(ValidationErrors::single(pointer, limit))
}

/// Formats times in the offset of a time zone.
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

/// Summary of a user's readings.
#[derive(Serialize, ToSchema)]
struct SummaryResponse<'a> {
    /// Always `true` in this response.
    #[schema(example = true)]
    success: bool,
    /// Id of the user.
    #[schema(example = "user123")]
    user_id: &'a str,
    /// Inclusive start of the summarized range.
    #[schema(value_type = String, format = DateTime)]
    start: Option<String>,
    /// Exclusive end of the summarized range.
    #[schema(value_type = String, format = DateTime)]
    end: Option<String>,
    /// Calendar period of each bucket.
    #[schema(example = "day")]
    bucket: &'static str,
    /// IANA name of the time zone of the periods.
    #[schema(example = "Europe/Athens")]
    tz: &'a str,
    /// One summary per data type, granularity and unit.
    summaries: Vec<TypeSummary<'a>>,
}

/// Summary of a series: the readings of one data type, granularity and unit.
#[derive(Serialize, ToSchema)]
struct TypeSummary<'a> {
    /// Name of the measured quantity.
    #[schema(example = "steps")]
    data_type: &'a str,
    /// Interval that each reading covers, from its `metadata.granularity`: a
    /// string as it is, any other value as JSON text, such as `60`; null if
    /// absent.
    #[schema(required, example = json!(null))]
    granularity: Option<&'a str>,
    /// Unit of the series: that of the readings, that of their `metadata.unit`,
    /// or the standard unit of a known data type, which also replaces other
    /// spellings of it.
    #[schema(required, example = "{steps}")]
    unit: Option<&'a str>,
    /// Number of readings in the series.
    #[schema(example = 2)]
    count: u64,
    /// Periods with readings, oldest first.
    buckets: Vec<SummaryBucket>,
    /// Share of the range's local days that have readings.
    coverage: CoverageSummary,
    /// Typical daily value, if there are enough days.
    #[schema(required)]
    baseline: Option<BaselineSummary>,
    /// Reason why there is no baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_reason: Option<String>,
    /// Trend of the daily values, if there are enough days.
    #[schema(required)]
    trend: Option<TrendSummary>,
    /// Reason why there is no trend.
    #[serde(skip_serializing_if = "Option::is_none")]
    trend_reason: Option<String>,
}

/// Readings of one calendar period.
#[derive(Serialize, ToSchema)]
struct SummaryBucket {
    /// Inclusive start of the period.
    #[schema(format = DateTime, example = "2021-10-31T00:00:00+03:00")]
    start: String,
    /// Exclusive end of the period.
    #[schema(format = DateTime, example = "2021-11-01T00:00:00+02:00")]
    end: String,
    /// Number of readings in the period.
    #[schema(example = 2)]
    count: u64,
    /// Lowest value in the period.
    min: f64,
    /// Highest value in the period.
    max: f64,
    /// Arithmetic mean of the values.
    mean: f64,
    /// Median of the values.
    median: f64,
    /// Method of the median. `exact`; for an even number of readings it is the
    /// mean of the two middle ones. `sketch`, above 10,000 readings: within 1
    /// percent of a middle value, for magnitudes above 1e-9.
    #[schema(pattern = "^(exact|sketch)$", example = "exact")]
    median_method: &'static str,
    /// Sum of the values, for cumulative data types such as steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    /// Value of the oldest reading.
    first: f64,
    /// Value of the newest reading.
    last: f64,
}

/// Share of the range's local days that have readings.
#[derive(Serialize, ToSchema)]
struct CoverageSummary {
    /// Number of days with readings.
    #[schema(example = 24)]
    days_with_data: u32,
    /// Number of days in the range.
    #[schema(example = 30)]
    days: u32,
    /// `days_with_data` divided by `days`.
    #[schema(example = 0.8)]
    share: f64,
}

/// Baseline of daily values. The value of a day is the sum, mean, median or last
/// of its readings, as fits the data type. Uses the newest days of the range, at
/// most 180; for cumulative data types only complete days.
#[derive(Serialize, ToSchema)]
struct BaselineSummary {
    /// Median of the daily values.
    median: f64,
    /// Median absolute deviation of the daily values.
    mad: f64,
    /// Number of days that the baseline is computed from, at least 7.
    days: usize,
}

/// Trend of the daily values that the baseline uses.
#[derive(Serialize, ToSchema)]
struct TrendSummary {
    /// Change per day, by Sen's slope estimator.
    slope_per_day: f64,
    /// Direction of the trend, by the Mann-Kendall test; `steady` if it is not significant.
    direction: Direction,
    /// Strength of the trend, by Kendall's τ.
    strength: Strength,
    /// Number of days that the trend is computed from, at least 10.
    days: usize,
}
