//! Answers to questions about a user's readings.
//!
//! Readings arrive as input: nothing here reads a store, and nothing here
//! knows whose the readings are.

mod statistical;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

pub use statistical::StatisticalProvider;

use crate::domain::{DataType, Invalid, Measurement, Reading, ReadingValue, Unit};

/// Answers questions about readings.
#[async_trait]
pub trait InsightProvider: Send + Sync {
    /// Answers `question` from `evidence`, and says what the answer rests on.
    async fn answer(&self, question: Question, evidence: Evidence) -> Insight;
}

/// What a person asks: 1 to 2,000 characters.
#[derive(Clone)]
pub struct Question(String);

impl Question {
    /// The most characters.
    pub const LONGEST: usize = 2_000;

    /// The question as asked.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Question {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        if text.trim().is_empty() || text.chars().count() > Self::LONGEST {
            Err(Invalid::because(
                "must be 1 to 2000 characters, not all of them blank",
            ))
        } else {
            Ok(Self(text))
        }
    }
}

/// What an answer may rest on.
#[derive(Debug)]
pub enum Evidence {
    /// The asker wants no readings to be looked at.
    Withheld,
    /// A user's newest readings.
    Readings {
        /// Newest first, to the millisecond.
        observations: Vec<Observation>,
        /// Whether the user has no older ones.
        complete: bool,
    },
}

/// What an answer needs of a reading, which is much less than all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// What was measured.
    pub data_type: DataType,
    /// In which unit, if the reading names one.
    pub unit: Option<Unit>,
    /// The number.
    pub value: ReadingValue,
    /// When it was measured.
    pub at: Timestamp,
}

impl From<Reading> for Observation {
    fn from(reading: Reading) -> Self {
        let Measurement {
            data_type,
            unit,
            value,
            timestamp,
            ..
        } = reading.measurement;
        Self {
            data_type,
            unit,
            value,
            at: timestamp.instant(),
        }
    }
}

/// An answer, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Insight {
    /// The answer in plain sentences.
    #[serde(rename = "insight")]
    #[schema(
        example = "heart_rate: 3 readings in the 30 days up to 2024-01-15 (UTC), from 66 to 78, mean 72, last 72. The last 7 days have a mean of 72 from 3 readings; the 7 days before have none."
    )]
    pub text: String,
    /// Whether everything that could bear on it was looked at.
    pub status: InsightStatus,
    /// Who wrote it.
    pub source: InsightSource,
    /// What it says, one by one.
    pub findings: Vec<Finding>,
    /// How much it rests on.
    pub data_coverage: DataCoverage,
}

/// Whether everything that could bear on an answer was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightStatus {
    /// Everything was.
    Complete,
    /// There are older readings that were left out.
    Partial,
}

/// Who wrote an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightSource {
    /// The service itself, from statistics.
    Statistics,
}

/// One thing that an answer says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// It in plain words.
    pub text: String,
    /// The numbers in it, to full precision.
    pub facts: Vec<Fact>,
}

/// A computed number.
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
    pub window: Window,
    /// The number.
    #[schema(example = 72.0)]
    pub value: f64,
    /// Its unit, absent for counts and where the readings name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/min")]
    pub unit: Option<String>,
    /// From how many readings.
    #[schema(example = 3)]
    pub n: usize,
}

/// What was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// How many readings there are.
    Count,
    /// The least value.
    Min,
    /// The arithmetic mean.
    Mean,
    /// The greatest value.
    Max,
    /// The newest value.
    Last,
}

/// A span of measurement time: after `start`, up to and including `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct Window {
    /// Its beginning, which is not part of it.
    #[schema(value_type = String, format = DateTime, example = "2023-12-16T10:30:00Z")]
    pub start: Timestamp,
    /// Its end, which is.
    #[schema(value_type = String, format = DateTime, example = "2024-01-15T10:30:00Z")]
    pub end: Timestamp,
}

/// How much an answer rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataCoverage {
    /// Readings within the windows.
    #[schema(example = 3)]
    pub readings: usize,
    /// Days, in UTC, with at least one of them.
    #[schema(example = 1)]
    pub days: usize,
}
