use uuid::Uuid;

use super::{
    Finding, Insight, InsightSource, InsightStatus, Recommendation, Safety, VerificationReport,
};
use crate::insights::context::AnalysisContext;
use crate::insights::safety::disclaimer;

impl Insight {
    /// Composes an answer from `findings`. Every number in them must be one of
    /// their facts.
    pub fn compose(
        context: &AnalysisContext,
        findings: Vec<Finding>,
        recommendations: Vec<Recommendation>,
        status: InsightStatus,
        source: InsightSource,
    ) -> Self {
        let mut sentences: Vec<&str> = findings.iter().map(|finding| &*finding.text).collect();
        let advice = context.emergency_advice();
        if sentences.is_empty() && context.note.is_none() {
            sentences.push(no_data_message(context));
        }
        sentences.extend(context.note.as_deref());
        // First of all, in a stream too: see `Insights::answer`.
        sentences.splice(0..0, advice.as_deref());
        Self {
            text: sentences.join(" "),
            answer_id: Uuid::new_v4(),
            status,
            source,
            verification: VerificationReport {
                numbers_checked: findings.iter().map(|finding| finding.facts.len()).sum(),
                numbers_unsupported: 0,
            },
            findings,
            recommendations,
            confidence: context.confidence(),
            data_coverage: context.coverage(),
            safety: Safety {
                escalation: None,
                disclaimer: disclaimer(context.question.emergency_number()),
            },
            model: None,
            usage: None,
        }
    }
}

/// Returns the answer if there are no facts.
fn no_data_message(context: &AnalysisContext) -> &'static str {
    if context.is_withheld {
        "There is nothing to go on: the question asked for no readings to be looked at."
    } else {
        "There is nothing to go on: no readings are stored for this user yet."
    }
}
