use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::domain::ReadingId;
use crate::statistics::{Direction, Strength};

/// A computed number, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Fact {
    /// Names it within the answer.
    #[schema(example = "f1")]
    pub fact_id: String,
    /// The data type it was computed from.
    #[schema(example = "heart_rate")]
    pub metric: String,
    /// What was computed.
    pub statistic: Statistic,
    /// From which span of measurement time.
    pub window: TimeWindow,
    /// The number.
    #[schema(example = 72.0)]
    pub value: f64,
    /// Its unit, absent for plain counts and where the readings name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/min")]
    pub unit: Option<String>,
    /// From how many readings.
    #[schema(example = 3)]
    pub n: usize,
    /// The readings it rests on: the one whose value it is, or the newest of
    /// them, at most 20.
    #[serde(serialize_with = "ids")]
    #[schema(value_type = Vec<String>, example = json!(["018d0ccb-9b40-8c1e-9a52-2f6d0b7a5e11"]))]
    pub reading_ids: Vec<ReadingId>,
    /// The window by its name.
    #[serde(skip)]
    pub period: Period,
    /// Of a trend: which way it goes, and how plainly.
    #[serde(skip)]
    pub trend: Option<(Direction, Strength)>,
}

impl Fact {
    /// The most reading ids that it names.
    pub const MAX_READING_IDS: usize = 20;
}

fn ids<S: Serializer>(ids: &[ReadingId], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ids.iter().map(ToString::to_string))
}

/// What was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// How many readings there are.
    Count,
    /// On how many local days there are any.
    Days,
    /// The longest time between two readings, in hours.
    LongestGap,
    /// How many readings have values that cannot be true, and were left out.
    Suspect,
    /// The least value.
    Min,
    /// A tenth of the values lies below.
    P10,
    /// Half of the values lies below.
    Median,
    /// The arithmetic mean.
    Mean,
    /// A tenth of the values lies above.
    P90,
    /// The greatest value.
    Max,
    /// The newest value.
    Last,
    /// The sum, of what adds up.
    Sum,
    /// The mean of the sums of local days, over days with readings.
    DailyMean,
    /// The least sum of a local day with readings.
    DailyMin,
    /// The greatest sum of a local day.
    DailyMax,
    /// The median of the values of days: what is usual.
    BaselineMedian,
    /// 1.4826 times the median absolute deviation of the values of days.
    BaselineSpread,
    /// How many days lie more than 3.5 spreads from the baseline.
    Outliers,
    /// By how much the values of days change per day (Theil–Sen).
    TrendPerDay,
    /// The mean of the values of days from Monday to Friday.
    WeekdayMean,
    /// The mean of the values of Saturdays and Sundays.
    WeekendMean,
    /// The standard deviation of the values of days.
    DailyDeviation,
    /// The share of glucose readings from 70 to 180 mg/dL, in percent.
    TimeInRange,
    /// The share of glucose readings below 54 mg/dL, in percent.
    TimeVeryLow,
    /// The share of glucose readings below 70 mg/dL, in percent.
    TimeLow,
    /// The share of glucose readings above 180 mg/dL, in percent.
    TimeHigh,
    /// The share of glucose readings above 250 mg/dL, in percent.
    TimeVeryHigh,
    /// The standard deviation of glucose as a share of its mean, in percent.
    CoefficientOfVariation,
    /// What mean glucose says that `HbA1c` would be about, in percent.
    GlucoseManagementIndicator,
    /// The resting heart rate, where it is not measured: the lowest median of
    /// half an hour.
    RestingEstimate,
}

/// A span of measurement time: after `start`, up to and including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TimeWindow {
    /// Its beginning, which is not part of it.
    #[schema(value_type = String, format = DateTime, example = "2023-12-16T10:30:00Z")]
    pub start: Timestamp,
    /// Its end, which is.
    #[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00Z")]
    pub end: Timestamp,
}

impl TimeWindow {
    /// Whether `instant` lies in it.
    pub fn contains(&self, instant: Timestamp) -> bool {
        instant > self.start && instant <= self.end
    }
}

/// How long a window is.
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
    /// All of them, the longest first.
    pub const ALL: [Self; 3] = [Self::Month, Self::Week, Self::Day];

    /// Its length in days.
    pub fn days(self) -> i32 {
        match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Month => 30,
        }
    }

    /// Its length in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "30 days",
        }
    }

    /// The instant this long before `end`.
    pub fn before(self, end: Timestamp) -> Timestamp {
        end.checked_sub(SignedDuration::from_hours(24 * i64::from(self.days())))
            .unwrap_or(Timestamp::MIN)
    }
}

/// A window by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// This long up to the newest reading.
    UpToNewest(WindowLength),
    /// What was looked at of the 30 days up to the newest reading.
    Clipped,
    /// A local day up to the newest reading.
    LocalDay {
        /// Which.
        date: Date,
        /// How many days before that of the newest reading.
        before_newest: i32,
    },
}

impl Period {
    /// Whether it is this long, or what was looked at of it.
    pub fn covers(self, span: WindowLength) -> bool {
        self == Self::UpToNewest(span) || (self == Self::Clipped && span == WindowLength::Month)
    }
}

/// Gives facts their ids: `f1`, `f2`…, each once in an answer.
#[derive(Debug, Default)]
pub struct FactIds {
    given: usize,
}

impl FactIds {
    /// One that was not given yet.
    pub fn next(&mut self) -> String {
        self.given += 1;
        format!("f{}", self.given)
    }
}
