use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::ReadingId;
use crate::domain::vocabulary::{Label, Metric};
use crate::statistics::{Direction, Strength};

/// One computed number and the readings it is computed from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fact {
    /// Identifier of the fact, unique within the answer.
    #[schema(example = "f1")]
    pub fact_id: String,
    /// Data type that the number was computed from, by its name in the vocabulary,
    /// such as `heart_rate` for `hr`, or `other`: names that a client made up are not
    /// part of answers. `reading_ids` lead to the readings.
    #[schema(value_type = String, example = "heart_rate")]
    pub metric: FactMetric,
    /// The statistic that was computed.
    pub statistic: Statistic,
    /// Span of measurement time that the statistic covers.
    pub window: TimeWindow,
    /// Value of the statistic, to full precision.
    #[schema(example = 72.0)]
    pub value: f64,
    /// Unit of the value (UCUM). Absent for plain counts, and if the readings name
    /// no unit or one that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "/min")]
    pub unit: Option<Label>,
    /// Number of readings that the value was computed from.
    #[schema(example = 3)]
    pub n: usize,
    /// Ids of the readings behind the value: the one whose value it is, or the
    /// newest ones, at most 20.
    #[serde(serialize_with = "ids")]
    #[schema(value_type = Vec<String>, example = json!(["018d0ccb-9b40-8c1e-9a52-2f6d0b7a5e11"]))]
    pub reading_ids: Vec<ReadingId>,
    /// The window in terms of the newest reading.
    #[serde(skip)]
    pub period: Period,
    /// Direction and strength, of a trend.
    #[serde(skip)]
    pub trend: Option<(Direction, Strength)>,
}

impl Fact {
    /// Maximum number of reading ids in one fact, to bound the size of answers.
    pub const MAX_READING_IDS: usize = 20;
}

fn ids<S: Serializer>(ids: &[ReadingId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}

/// Data type of a fact: one of the vocabulary, or any other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FactMetric(pub Option<&'static Metric>);

impl FactMetric {
    /// Returns the name in the vocabulary, or `other`.
    pub fn name(self) -> &'static str {
        self.0.map_or("other", |metric| &metric.name)
    }
}

impl Serialize for FactMetric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Statistic that a fact states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Number of readings.
    Count,
    /// Number of local days with readings.
    Days,
    /// Longest time between two consecutive readings, in hours.
    LongestGap,
    /// Number of readings with implausible values, which are excluded.
    Suspect,
    /// Minimum.
    Min,
    /// 10th percentile.
    P10,
    /// Median.
    Median,
    /// Arithmetic mean.
    Mean,
    /// 90th percentile.
    P90,
    /// Maximum.
    Max,
    /// Value of the newest reading.
    Last,
    /// Sum, for cumulative data types.
    Sum,
    /// Mean of the daily sums, over local days with readings.
    DailyMean,
    /// Minimum daily sum, over local days with readings.
    DailyMin,
    /// Maximum daily sum.
    DailyMax,
    /// Median of the daily values.
    BaselineMedian,
    /// Median absolute deviation of the daily values, times 1.4826.
    BaselineSpread,
    /// Number of days more than 3.5 spreads from the baseline median.
    Outliers,
    /// Change of the daily values per day (Theil-Sen slope).
    TrendPerDay,
    /// Mean of the daily values from Monday to Friday.
    WeekdayMean,
    /// Mean of the daily values of Saturdays and Sundays.
    WeekendMean,
    /// Standard deviation of the daily values.
    DailyDeviation,
    /// Share of glucose readings from 70 to 180 mg/dL, in percent.
    TimeInRange,
    /// Share of glucose readings below 54 mg/dL, in percent.
    TimeVeryLow,
    /// Share of glucose readings below 70 mg/dL, in percent.
    TimeLow,
    /// Share of glucose readings above 180 mg/dL, in percent.
    TimeHigh,
    /// Share of glucose readings above 250 mg/dL, in percent.
    TimeVeryHigh,
    /// Standard deviation of glucose divided by its mean, in percent.
    CoefficientOfVariation,
    /// Glucose management indicator, an estimate of `HbA1c`, in percent.
    GlucoseManagementIndicator,
    /// Estimated resting heart rate, if it is not measured: the lowest median of
    /// a half hour.
    RestingEstimate,
}

/// Span of measurement time: `start` exclusive, `end` inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeWindow {
    /// Start of the span, exclusive.
    #[schema(value_type = String, format = DateTime, example = "2023-12-16T10:30:00Z")]
    pub start: Timestamp,
    /// End of the span, inclusive.
    #[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00Z")]
    pub end: Timestamp,
}

impl TimeWindow {
    /// Returns true if `instant` lies in the window.
    pub fn contains(&self, instant: Timestamp) -> bool {
        instant > self.start && instant <= self.end
    }
}

/// Length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WindowLength {
    /// 24 hours.
    Day,
    /// 7 days of 24 hours.
    Week,
    /// 30 days of 24 hours.
    Month,
}

impl WindowLength {
    /// All lengths, longest first.
    pub const ALL: [Self; 3] = [Self::Month, Self::Week, Self::Day];

    /// Returns the length in days.
    pub fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// Returns the length in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// Returns the instant this long before `end`.
    pub fn before(self, end: Timestamp) -> Timestamp {
        end.checked_sub(SignedDuration::from_hours(24 * i64::from(self.days())))
            .unwrap_or(Timestamp::MIN)
    }
}

/// Window in terms of the newest reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Window of this length that ends with the newest reading.
    UpToNewest(WindowLength),
    /// Part of the 30 days up to the newest reading that was read.
    Clipped,
    /// A local day, up to its newest reading.
    LocalDay {
        /// Date of the day.
        date: Date,
        /// Number of days before the day of the newest reading.
        before_newest: i32,
    },
}

impl Period {
    /// Returns true if the period has this length, or is the part of it that was
    /// read.
    pub fn covers(self, span: WindowLength) -> bool {
        self == Self::UpToNewest(span) || (self == Self::Clipped && span == WindowLength::Month)
    }
}

/// Generator of fact ids (`f1`, `f2`, …), unique within an answer.
#[derive(Debug, Default)]
pub struct FactIds {
    issued: usize,
}

impl FactIds {
    /// Returns the next unused id.
    pub fn next(&mut self) -> String {
        self.issued += 1;
        format!("f{}", self.issued)
    }
}
