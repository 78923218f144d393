use super::draft::{Checked, DraftFinding, DraftRecommendation};
use crate::insights::answer::{
    Finding, Insight, InsightSource, InsightStatus, Model, ModelUsage, Recommendation, Verification,
};
use crate::insights::brief::Brief;
use crate::insights::gemini::Reply;
use crate::insights::statistical;

/// What may be told of a draft. It names facts by their ids only, so that it
/// can be told to everybody whose facts are the same.
#[derive(Debug, Clone)]
pub struct Phrased {
    pub findings: Vec<Told>,
    pub recommendations: Vec<DraftRecommendation>,
    pub verification: Verification,
    pub model: Option<Model>,
    pub usage: Option<ModelUsage>,
}

/// A finding as it is told.
#[derive(Debug, Clone)]
pub enum Told {
    /// In the model's words.
    AsWritten(DraftFinding),
    /// In the service's own, since the model's did not fit the facts.
    InItsPlace(DraftFinding),
}

impl Told {
    /// The sentences, with their facts.
    pub fn findings(&self, brief: &Brief) -> Vec<Finding> {
        match self {
            Self::AsWritten(draft) => vec![draft.told(brief)],
            Self::InItsPlace(draft) => draft.in_its_place(brief),
        }
    }
}

impl Phrased {
    /// A draft that passed as a whole.
    pub fn new(checked: Checked, model: Model, usage: ModelUsage) -> Self {
        Self {
            findings: checked.findings.into_iter().map(Told::AsWritten).collect(),
            recommendations: checked.recommendations,
            verification: checked.verification,
            model: Some(model),
            usage: Some(usage),
        }
    }

    /// The answer that tells it.
    pub fn told(&self, brief: &Brief, status: InsightStatus) -> Insight {
        let findings: Vec<Finding> = self
            .findings
            .iter()
            .flat_map(|told| told.findings(brief))
            .collect();
        // A client can look up the facts of findings only.
        let is_told = |id: &String| {
            let mut facts = findings.iter().flat_map(|finding| &finding.facts);
            facts.any(|fact| fact.fact_id == *id)
        };
        let mut recommendations: Vec<Recommendation> = self
            .recommendations
            .iter()
            .map(|draft| Recommendation {
                text: draft.text.trim().to_owned(),
                based_on: draft
                    .based_on
                    .iter()
                    .filter(|id| is_told(id))
                    .cloned()
                    .collect(),
            })
            .collect();
        if recommendations.is_empty() {
            recommendations = statistical::recommendations(brief, &findings);
        }
        let mut insight = Insight::new(
            brief,
            findings,
            recommendations,
            status,
            InsightSource::Gemini,
        );
        insight.verification = self.verification;
        insight.model.clone_from(&self.model);
        insight.usage = self.usage;
        insight
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
