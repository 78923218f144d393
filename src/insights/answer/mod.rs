//! Answers: their parts, their composition and their wording.

mod composition;
mod confidence;
pub mod escalation;
pub mod recommendations;
pub mod render;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::insights::facts::Fact;
use crate::statistics::{Direction, Strength};

/// Answer to a question, with its evidence.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Insight {
    /// The answer in plain sentences.
    #[serde(rename = "insight")]
    #[schema(
        example = "Heart rate: mean 72 /min, from 66 to 78 /min, last 72 /min, from 3 readings in the 30 days up to 2024-01-15."
    )]
    pub text: String,
    /// Identifier of the answer.
    #[schema(value_type = String, format = Uuid)]
    pub answer_id: Uuid,
    /// Completeness of the answer and how it was produced.
    pub status: InsightStatus,
    /// Author of the text.
    pub source: InsightSource,
    /// Statements of the answer, each with its facts.
    pub findings: Vec<Finding>,
    /// Suggested actions, possibly none.
    pub recommendations: Vec<Recommendation>,
    /// Reliability of the answer, given the available readings.
    pub confidence: Confidence,
    /// Amount of data behind the answer, and missing data.
    pub data_coverage: DataCoverage,
    /// Disclaimer and emergency escalation.
    pub safety: Safety,
    /// Result of checking the numbers of the text against the facts.
    pub verification: VerificationReport,
    /// Model that phrased the answer; null if none did.
    #[schema(required)]
    pub model: Option<ModelInfo>,
    /// Tokens and time that the model used; null if none was called.
    #[schema(required)]
    pub usage: Option<ModelUsage>,
}

/// Completeness of an answer and how it was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightStatus {
    /// The complete answer.
    Complete,
    /// An answer that leaves something out: older readings, further data types,
    /// or the rest of an interrupted model response.
    Partial,
    /// An answer from statistics, because the model failed.
    Fallback,
    /// A call to seek help, because of signs of an emergency; the question is
    /// not answered.
    Escalated,
}

impl InsightStatus {
    /// Returns the name used in responses and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Fallback => "fallback",
            Self::Escalated => "escalated",
        }
    }
}

/// Author of the text of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightSource {
    /// The service, from statistics.
    Statistics,
    /// Gemini, from the same statistics.
    Gemini,
}

/// One statement of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// The statement as a sentence.
    pub text: String,
    /// Facts behind the numbers in the sentence.
    pub facts: Vec<Fact>,
    /// Direction of change, for a finding about a trend; otherwise null.
    #[schema(required)]
    pub direction: Option<Direction>,
    /// Strength of the trend, for a finding about a trend; otherwise null.
    #[schema(required)]
    pub strength: Option<Strength>,
}

impl Finding {
    /// Creates a finding that states `facts`.
    pub fn new(text: String, facts: Vec<Fact>) -> Self {
        let trend = facts.iter().find_map(|fact| fact.trend);
        Self {
            text,
            facts,
            direction: trend.map(|(direction, _)| direction),
            strength: trend.map(|(_, strength)| strength),
        }
    }
}

/// Suggested action, with the facts behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recommendation {
    /// The suggestion as a sentence.
    pub text: String,
    /// Ids of the facts that the suggestion is based on.
    #[schema(example = json!(["f1"]))]
    pub based_on: Vec<String>,
}

/// Reliability of an answer. It is computed from the available readings, never
/// from a self-assessment of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Confidence {
    /// Overall confidence level.
    pub level: ConfidenceLevel,
    /// Reasons why the level is not higher.
    pub reasons: Vec<String>,
}

/// Level of confidence in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceLevel {
    /// Few or old readings.
    Low,
    /// Readings on at least 7 of 30 days.
    Medium,
    /// Recent readings on at least 21 of 30 days.
    High,
}

/// Amount of data behind an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataCoverage {
    /// Number of readings within the analyzed windows.
    #[schema(example = 3)]
    pub readings: usize,
    /// Number of local days with at least one reading.
    #[schema(example = 1)]
    pub days: usize,
    /// Data that the question needs and that does not exist.
    pub missing: Vec<String>,
}

/// Disclaimer and emergency escalation of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Safety {
    /// Kind of emergency that was detected, such as `chest_pain`; null if none.
    #[schema(required, value_type = Option<String>, example = json!(null))]
    pub escalation: Option<&'static str>,
    /// Limits of the answer and the emergency number of the user's country, or 112 and
    /// 911 if it is not known; to be shown to the user.
    pub disclaimer: String,
}

/// Result of checking the numbers of an answer against its facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerificationReport {
    /// Count of the numbers that were checked against facts.
    #[schema(example = 5)]
    pub numbers_checked: usize,
    /// Number of them that match no fact. The model's sentences with such numbers
    /// are left out of the answer.
    #[schema(example = 0)]
    pub numbers_unsupported: usize,
}

/// Model that phrased an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// Name of the requested model.
    #[schema(example = "gemini-3.5-flash-lite")]
    pub name: String,
    /// Version of the model, as reported by it.
    pub version: Option<String>,
    /// The model provider's id of the response.
    pub response_id: Option<String>,
    /// Reason why the model stopped.
    #[schema(example = "STOP")]
    pub finish_reason: String,
}

/// Tokens and time used by a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelUsage {
    /// Tokens of the prompt: the instructions, the question and the facts.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the response.
    pub output_tokens: Option<u64>,
    /// Tokens of the model's reasoning.
    pub thought_tokens: Option<u64>,
    /// Prompt tokens that were read from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Number of calls to the model.
    #[schema(example = 1)]
    pub attempts: u32,
    /// Total duration of the calls, in milliseconds.
    pub latency_ms: u64,
}
