use super::draft::{Draft, VerifiedDraft, recommendations};
use crate::insights::answer::{
    Insight, InsightSource, InsightStatus, ModelInfo, ModelUsage, VerificationReport,
};
use crate::insights::context::AnalysisContext;
use crate::insights::gemini::Reply;
use crate::insights::statistical;

/// Generated answer as it is cached.
///
/// Every user with the same question and facts may get it: it refers to facts
/// only by their ids, and it is verified against each user's own facts before it
/// is rendered.
#[derive(Debug, Clone)]
pub struct GeneratedAnswer {
    /// Verified for the request that generated it.
    pub draft: Draft,
    /// Counts of the verification at that time, including a failed first draft.
    pub verification: VerificationReport,
    /// Model that generated it; `None` if the stream was interrupted.
    pub model: Option<ModelInfo>,
    /// Usage of the calls that generated it; `None` from the cache.
    pub usage: Option<ModelUsage>,
}

impl GeneratedAnswer {
    /// Renders the answer from its draft, verified against `context`.
    pub fn render(
        &self,
        verified: VerifiedDraft,
        context: &AnalysisContext,
        status: InsightStatus,
    ) -> Insight {
        // With readings withheld there are no findings: the recommendations are
        // the model's contribution.
        let is_generated = context.is_withheld || verified.has_model_text();
        let mut findings = if context.is_withheld {
            Vec::new()
        } else {
            verified.into_findings()
        };
        let mut recommendations = recommendations(&self.draft.recommendations, context, &findings);
        if recommendations.is_empty() {
            recommendations = statistical::recommendations(context, &findings);
        }
        findings.extend(statistical::findings_outside_vocabulary(context));
        let (status, source, model) = if is_generated {
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

    /// Returns a copy for cache hits, without usage and response id, which
    /// belong to the request that called the model.
    pub fn to_cached(&self) -> Self {
        let mut cached = self.clone();
        cached.usage = None;
        if let Some(model) = &mut cached.model {
            model.response_id = None;
        }
        cached
    }
}

impl From<&Reply> for ModelInfo {
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
    /// Returns the usage of two calls together.
    pub fn plus(self, other: Self) -> Self {
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
