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

/// An answer, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Insight {
    /// The answer in plain sentences.
    #[serde(rename = "insight")]
    #[schema(
        example = "Heart rate: mean 72 /min, from 66 to 78 /min, last 72 /min, in the 30 days up to 2024-01-15. It rests on 3 readings on 1 of these days."
    )]
    pub text: String,
    /// Names this answer.
    #[schema(value_type = String, format = Uuid)]
    pub answer_id: Uuid,
    /// How it came about.
    pub status: InsightStatus,
    /// Who wrote it.
    pub source: InsightSource,
    /// What it says, one by one.
    pub findings: Vec<Finding>,
    /// What one could do.
    pub recommendations: Vec<Recommendation>,
    /// How far it can be relied on.
    pub confidence: Confidence,
    /// How much it rests on.
    pub data_coverage: DataCoverage,
    /// What it is not, and whether help is needed now.
    pub safety: Safety,
    /// How its numbers were checked.
    pub verification: VerificationReport,
    /// Which model phrased it; null if none did.
    #[schema(required)]
    pub model: Option<ModelInfo>,
    /// What the model took; null if none was asked.
    #[schema(required)]
    pub usage: Option<ModelUsage>,
}

/// How an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightStatus {
    /// As it should.
    Complete,
    /// Something is left out: older readings, further data types, or the rest
    /// of what the model was about to say.
    Partial,
    /// The model failed, so statistics answer.
    Fallback,
    /// There are signs that help is needed now; nothing else is answered.
    Escalated,
}

impl InsightStatus {
    /// Its name, as answers have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Fallback => "fallback",
            Self::Escalated => "escalated",
        }
    }
}

/// Who wrote an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum InsightSource {
    /// The service itself, from statistics.
    Statistics,
    /// Gemini, from the same statistics.
    Gemini,
}

/// One thing that an answer says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Finding {
    /// It in plain words.
    pub text: String,
    /// The numbers in it, to full precision.
    pub facts: Vec<Fact>,
    /// Of a finding about change: which way; else null.
    #[schema(required)]
    pub direction: Option<Direction>,
    /// Of a finding about change: how plainly; else null.
    #[schema(required)]
    pub strength: Option<Strength>,
}

impl Finding {
    /// A finding that rests on `facts`.
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

/// Something one could do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Recommendation {
    /// It in plain words.
    pub text: String,
    /// Ids of the facts that suggest it.
    #[schema(example = json!(["f1"]))]
    pub based_on: Vec<String>,
}

/// How far an answer can be relied on: by the readings it rests on, never by
/// what a model thinks of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Confidence {
    /// In one word.
    pub level: ConfidenceLevel,
    /// Why it is not higher.
    pub reasons: Vec<String>,
}

/// How far an answer can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceLevel {
    /// Little or old data.
    Low,
    /// Data of some days.
    Medium,
    /// Recent data of most days.
    High,
}

/// How much an answer rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DataCoverage {
    /// Readings within the windows.
    #[schema(example = 3)]
    pub readings: usize,
    /// Local days with at least one of them.
    #[schema(example = 1)]
    pub days: usize,
    /// What would be needed and is not there.
    pub missing: Vec<String>,
}

/// What an answer is not, and whether help is needed now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Safety {
    /// The signs that help is needed now; null if there are none.
    #[schema(required, value_type = Option<String>, example = json!(null))]
    pub escalation: Option<&'static str>,
    /// What an answer is not.
    #[schema(value_type = String)]
    pub disclaimer: &'static str,
}

/// How an answer's numbers were checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerificationReport {
    /// Numbers in sentences that were held against facts.
    #[schema(example = 5)]
    pub numbers_checked: usize,
    /// Those of a model's that were no fact's; their sentences are not in the
    /// answer.
    #[schema(example = 0)]
    pub numbers_unsupported: usize,
}

/// Which model phrased an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// The model that was asked.
    #[schema(example = "gemini-3.5-flash-lite")]
    pub name: String,
    /// The version that answered, as it names itself.
    pub version: Option<String>,
    /// Its own id of the answer.
    pub response_id: Option<String>,
    /// Why it stopped.
    #[schema(example = "STOP")]
    pub finish_reason: String,
}

/// What asking a model took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct ModelUsage {
    /// Tokens of the question and the facts.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer.
    pub output_tokens: Option<u64>,
    /// Tokens of thought.
    pub thought_tokens: Option<u64>,
    /// Prompt tokens that were taken from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// How often the model was called.
    #[schema(example = 1)]
    pub attempts: u32,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
}
