use super::draft::{Draft, recommendations};
use crate::insights::answer::{
    Finding, Insight, InsightSource, InsightStatus, Model, ModelUsage, Verification,
};
use crate::insights::context::AnalysisContext;
use crate::insights::gemini::Reply;
use crate::insights::statistical;

/// A draft that may be told to everybody whose question and facts are the same:
/// it names facts by their ids only, and is held against them once more when it
/// is told.
#[derive(Debug, Clone)]
pub struct Phrased {
    pub draft: Draft,
    pub verification: Verification,
    pub model: Option<Model>,
    pub usage: Option<ModelUsage>,
}

impl Phrased {
    /// The answer that tells it.
    pub fn told(&self, context: &AnalysisContext, status: InsightStatus) -> Insight {
        let mut findings: Vec<Finding> = Vec::new();
        // With readings withheld, it is the model's choice of advice that is told.
        let mut is_the_models = context.is_withheld;
        if !context.is_withheld {
            for draft in &self.draft.findings {
                let (verdict, sentences) = draft.told(context);
                is_the_models |= verdict.passes();
                findings.extend(sentences);
            }
        }
        let mut recommendations = recommendations(&self.draft.recommendations, context, &findings);
        if recommendations.is_empty() {
            recommendations = statistical::recommendations(context, &findings);
        }
        findings.extend(statistical::findings_of_unsent(context));
        let (status, source, model) = if is_the_models {
            (status, InsightSource::Gemini, self.model.clone())
        } else {
            (InsightStatus::Fallback, InsightSource::Statistics, None)
        };
        let mut insight = Insight::compose(context, findings, recommendations, status, source);
        insight.verification = self.verification;
        insight.model = model;
        insight.usage = self.usage;
        insight
    }

    /// It as it is told to somebody for whom the model was not called.
    pub fn remembered(&self) -> Self {
        let mut remembered = self.clone();
        remembered.usage = None;
        if let Some(model) = &mut remembered.model {
            model.response_id = None;
        }
        remembered
    }
}

impl From<&Reply> for Model {
    fn from(reply: &Reply) -> Self {
        Self {
            name: reply.model.clone(),
            version: reply.version.clone(),
            response_id: reply.response_id.clone(),
            finish_reason: reply.finish_reason.clone(),
        }
    }
}

impl From<&Reply> for ModelUsage {
    fn from(reply: &Reply) -> Self {
        let usage = reply.usage;
        Self {
            prompt_tokens: usage.prompt_tokens,
            output_tokens: usage.output_tokens,
            thought_tokens: usage.thought_tokens,
            cached_tokens: usage.cached_tokens,
            attempts: usage.attempts,
            latency_ms: u64::try_from(usage.latency.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl ModelUsage {
    /// What two calls took together.
    pub fn and(self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self {
            prompt_tokens: sum(self.prompt_tokens, other.prompt_tokens),
            output_tokens: sum(self.output_tokens, other.output_tokens),
            thought_tokens: sum(self.thought_tokens, other.thought_tokens),
            cached_tokens: sum(self.cached_tokens, other.cached_tokens),
            attempts: self.attempts.saturating_add(other.attempts),
            latency_ms: self.latency_ms.saturating_add(other.latency_ms),
        }
    }
}
