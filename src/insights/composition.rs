use uuid::Uuid;

use super::answer::{
    Finding, Insight, InsightSource, InsightStatus, Recommendation, Safety, Verification,
};
use super::brief::Brief;
use super::safety::DISCLAIMER;

impl Insight {
    /// The answer to `brief` that consists of `findings`, of which every number
    /// is one of their facts, written without a model.
    pub fn compose(
        brief: &Brief,
        findings: Vec<Finding>,
        recommendations: Vec<Recommendation>,
        status: InsightStatus,
        source: InsightSource,
    ) -> Self {
        let mut sentences: Vec<&str> = findings.iter().map(|finding| &*finding.text).collect();
        if sentences.is_empty() && brief.note.is_none() {
            sentences.push(nothing_to_go_on(brief));
        }
        sentences.extend(brief.note.as_deref());
        Self {
            text: sentences.join(" "),
            answer_id: Uuid::new_v4(),
            status,
            source,
            verification: Verification {
                numbers_checked: findings.iter().map(|finding| finding.facts.len()).sum(),
                numbers_unsupported: 0,
            },
            findings,
            recommendations,
            confidence: brief.confidence(),
            data_coverage: brief.coverage(),
            safety: Safety {
                escalation: None,
                disclaimer: DISCLAIMER,
            },
            model: None,
            usage: None,
        }
    }
}

/// What to say where there are no facts.
fn nothing_to_go_on(brief: &Brief) -> &'static str {
    if brief.is_withheld {
        "There is nothing to go on: the question asked for no readings to be looked at."
    } else {
        "There is nothing to go on: no readings are stored for this user yet."
    }
}
