use serde::Deserialize;

use super::system_instruction::RULES;
use crate::insights::answer::recommendations;
use crate::insights::answer::render;
use crate::insights::answer::{Finding, Recommendation, Verification};
use crate::insights::context::AnalysisContext;
use crate::insights::verification::{self, DraftViolation, Verdict};

/// What the model wrote, as its schema has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Draft {
    #[serde(default)]
    pub findings: Vec<DraftFinding>,
    #[serde(default, deserialize_with = "those_that_fit")]
    pub recommendations: Vec<DraftRecommendation>,
}

/// Advice that is not given as the schema has it is not worth the findings.
fn those_that_fit<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<DraftRecommendation>, D::Error> {
    let list = serde_json::Value::deserialize(deserializer)?;
    let list = list.as_array().cloned().unwrap_or_default();
    let read = |item| serde_json::from_value(item).ok();
    Ok(list.into_iter().filter_map(read).collect())
}

/// A sentence, and what it rests on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DraftFinding {
    pub text: String,
    #[serde(default)]
    pub fact_ids: Vec<String>,
}

/// Advice by its id, and what suggests it.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftRecommendation {
    pub advice_id: String,
    #[serde(default)]
    pub based_on: Vec<String>,
}

/// At most how many findings of a model's are told.
pub const MOST_FINDINGS: usize = 5;
const MOST_RECOMMENDATIONS: usize = 3;
/// At most how many facts of a sentence that fails are told in its place.
const MOST_FACTS_IN_PLACE: usize = 3;

impl DraftFinding {
    /// Without repetitions.
    fn tidied(mut self) -> Self {
        let mut known = std::collections::HashSet::new();
        self.fact_ids.retain(|id| known.insert(id.clone()));
        self
    }

    /// What is told of it, and whether that is what it says: if it does not fit
    /// the facts, each of them is told in the service's own words.
    pub fn told(&self, context: &AnalysisContext) -> (Verdict, Vec<Finding>) {
        let this = self.clone().tidied();
        let verdict = verification::finding(&this.text, &this.fact_ids, context, RULES);
        let facts = this.fact_ids.iter().filter_map(|id| context.citable(id));
        let findings = if verdict.passes() {
            let text = this.text.trim().to_owned();
            vec![Finding::new(text, facts.cloned().collect())]
        } else {
            facts
                .filter_map(|fact| Some((fact, context.summary_of(fact)?)))
                .map(|(fact, of)| Finding::new(render::sentence(fact, of), vec![fact.clone()]))
                .take(MOST_FACTS_IN_PLACE)
                .collect()
        };
        (verdict, findings)
    }
}

impl Draft {
    /// The draft without what repeats itself.
    pub fn tidied(mut self) -> Self {
        self.findings = self
            .findings
            .into_iter()
            .take(MOST_FINDINGS)
            .map(DraftFinding::tidied)
            .collect();
        self.findings.dedup();
        self
    }

    /// What is wrong with it; empty if all of its findings may be told.
    pub fn faults(
        &self,
        context: &AnalysisContext,
        verification: &mut Verification,
    ) -> Vec<DraftViolation> {
        let mut faults = Vec::new();
        if self.findings.is_empty() && !context.is_withheld {
            faults.push(DraftViolation::Length);
        }
        for finding in &self.findings {
            let (verdict, _) = finding.told(context);
            verification.add(&verdict);
            faults.extend(verdict.faults);
        }
        faults
    }
}

/// The advice that was chosen, of that which fits; it rests on those facts
/// that are `told`, which a client can look up.
pub fn recommendations(
    chosen: &[DraftRecommendation],
    context: &AnalysisContext,
    told: &[Finding],
) -> Vec<Recommendation> {
    let fitting = recommendations::suitable(context);
    let is_told = |id: &&String| {
        let mut facts = told.iter().flat_map(|finding| &finding.facts);
        facts.any(|fact| fact.fact_id == **id)
    };
    let mut recommendations: Vec<Recommendation> = Vec::new();
    for draft in chosen {
        let Some(advice) = fitting.iter().find(|advice| advice.id == draft.advice_id) else {
            continue;
        };
        if recommendations
            .iter()
            .all(|known| known.text != advice.text)
        {
            let mut based_on: Vec<String> =
                draft.based_on.iter().filter(is_told).cloned().collect();
            based_on.sort_unstable();
            based_on.dedup();
            recommendations.push(Recommendation {
                text: advice.text.to_owned(),
                based_on,
            });
        }
    }
    recommendations.truncate(MOST_RECOMMENDATIONS);
    recommendations
}

impl Verification {
    /// Counts what came of one text.
    pub fn add(&mut self, verdict: &Verdict) {
        self.numbers_checked += verdict.numbers_checked;
        self.numbers_unsupported += verdict.numbers_unsupported;
    }
}
