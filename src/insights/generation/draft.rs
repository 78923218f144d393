use std::collections::HashSet;

use serde::Deserialize;

use super::system_instruction::RULES;
use crate::insights::answer::recommendations;
use crate::insights::answer::render;
use crate::insights::answer::{Finding, Recommendation, VerificationReport};
use crate::insights::context::AnalysisContext;
use crate::insights::verification::{self, DraftViolation, Verdict};

/// Reply of the model, in the form of the response schema. Unverified.
#[derive(Debug, Clone, Deserialize)]
pub struct Draft {
    /// Sentences, in the order in which they are shown.
    #[serde(default)]
    pub findings: Vec<DraftFinding>,
    /// Choices among the recommendations in the prompt payload.
    #[serde(default, deserialize_with = "valid_recommendations")]
    pub recommendations: Vec<DraftRecommendation>,
}

/// Skips recommendations that do not match the schema, for which the findings
/// should not be lost.
fn valid_recommendations<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<DraftRecommendation>, D::Error> {
    let list = serde_json::Value::deserialize(deserializer)?;
    let list = list.as_array().cloned().unwrap_or_default();
    let read = |item| serde_json::from_value(item).ok();
    Ok(list.into_iter().filter_map(read).collect())
}

/// Sentence and the ids of the facts that it cites.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DraftFinding {
    /// One sentence about one metric.
    pub text: String,
    /// Ids of the cited facts.
    #[serde(default)]
    pub fact_ids: Vec<String>,
}

/// Chosen recommendation and the ids of the facts that suggest it.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftRecommendation {
    /// Id of a recommendation in the prompt payload.
    pub advice_id: String,
    /// Ids of facts.
    #[serde(default)]
    pub based_on: Vec<String>,
}

/// Maximum number of a draft's findings that are used.
pub const MAX_FINDINGS: usize = 5;
const MAX_RECOMMENDATIONS: usize = 3;
/// Maximum number of facts that replace a sentence that failed verification.
const MAX_REPLACEMENT_FACTS: usize = 3;

impl DraftFinding {
    /// Removes repeated fact ids.
    fn deduplicated(mut self) -> Self {
        let mut known = HashSet::new();
        self.fact_ids.retain(|id| known.insert(id.clone()));
        self
    }

    /// Verifies the sentence against the facts that it cites. Returns the
    /// verdict and the findings to show: the sentence itself, or if it failed,
    /// each of its facts in the service's own words.
    fn verify(&self, context: &AnalysisContext) -> (Verdict, Vec<Finding>) {
        let this = self.clone().deduplicated();
        let verdict = verification::verify_sentence(&this.text, &this.fact_ids, context, RULES);
        let facts = this.fact_ids.iter().filter_map(|id| context.citable(id));
        let findings = if verdict.passes() {
            let text = this.text.trim().to_owned();
            vec![Finding::new(text, facts.cloned().collect())]
        } else {
            facts
                .filter_map(|fact| Some((fact, context.summary_of(fact)?)))
                .map(|(fact, of)| Finding::new(render::sentence(fact, of), vec![fact.clone()]))
                .take(MAX_REPLACEMENT_FACTS)
                .collect()
        };
        (verdict, findings)
    }
}

/// Findings of a draft after verification against the facts of one context.
///
/// [`Draft::verify`] and [`VerifiedDraft::push`] are the only ways to fill it,
/// so that rendering, which takes one, cannot show unverified text.
#[derive(Debug, Clone, Default)]
pub struct VerifiedDraft {
    findings: Vec<Finding>,
    has_model_text: bool,
}

impl VerifiedDraft {
    /// Verifies a finding and appends what may be shown of it. Returns the
    /// verdict and the appended findings.
    pub fn push(
        &mut self,
        finding: &DraftFinding,
        context: &AnalysisContext,
    ) -> (Verdict, &[Finding]) {
        let (verdict, findings) = finding.verify(context);
        self.has_model_text |= verdict.passes();
        let before = self.findings.len();
        self.findings.extend(findings);
        (verdict, &self.findings[before..])
    }

    /// Returns true if at least one of the model's sentences passed.
    pub fn has_model_text(&self) -> bool {
        self.has_model_text
    }

    /// Returns the findings to show.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

impl Draft {
    /// Removes repetitions and excess findings.
    pub fn deduplicated(mut self) -> Self {
        self.findings = self
            .findings
            .into_iter()
            .take(MAX_FINDINGS)
            .map(DraftFinding::deduplicated)
            .collect();
        self.findings.dedup();
        self
    }

    /// Verifies all findings against the facts of `context`. The verdict covers
    /// the draft as a whole.
    pub fn verify(&self, context: &AnalysisContext) -> (VerifiedDraft, Verdict) {
        let mut verified = VerifiedDraft::default();
        let mut total = Verdict::default();
        if self.findings.is_empty() && !context.is_withheld {
            total.violations.push(DraftViolation::Length);
        }
        for finding in &self.findings {
            let (verdict, _) = verified.push(finding, context);
            total.merge(verdict);
        }
        (verified, total)
    }
}

/// Returns the chosen recommendations that fit the facts. They refer only to
/// facts of `findings`, which a client can look up.
pub fn recommendations(
    chosen: &[DraftRecommendation],
    context: &AnalysisContext,
    findings: &[Finding],
) -> Vec<Recommendation> {
    let suitable = recommendations::suitable(context);
    let is_shown = |id: &&String| {
        let mut facts = findings.iter().flat_map(|finding| &finding.facts);
        facts.any(|fact| fact.fact_id == **id)
    };
    let mut recommendations: Vec<Recommendation> = Vec::new();
    for draft in chosen {
        let Some(advice) = suitable.iter().find(|advice| advice.id == draft.advice_id) else {
            continue;
        };
        if recommendations
            .iter()
            .all(|known| known.text != advice.text)
        {
            let mut based_on: Vec<String> =
                draft.based_on.iter().filter(is_shown).cloned().collect();
            based_on.sort_unstable();
            based_on.dedup();
            recommendations.push(Recommendation {
                text: advice.text.to_owned(),
                based_on,
            });
        }
    }
    recommendations.truncate(MAX_RECOMMENDATIONS);
    recommendations
}

impl VerificationReport {
    /// Adds the counts of a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        self.numbers_checked += verdict.numbers_checked;
        self.numbers_unsupported += verdict.numbers_unsupported;
    }
}
