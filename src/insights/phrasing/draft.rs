use serde::Deserialize;

use crate::insights::answer::{Finding, Verification};
use crate::insights::brief::Brief;
use crate::insights::verification::{self, Fault, Verdict};
use crate::insights::wording;

use super::instruction::INSTRUCTION;

/// What the model wrote, as its schema has it.
#[derive(Debug, Clone, Deserialize)]
pub struct Draft {
    #[serde(default)]
    pub findings: Vec<DraftFinding>,
    #[serde(default)]
    pub recommendations: Vec<DraftRecommendation>,
}

/// A sentence, and what it rests on.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftFinding {
    pub text: String,
    #[serde(default)]
    pub fact_ids: Vec<String>,
}

/// Something to do, and what suggests it.
#[derive(Debug, Clone, Deserialize)]
pub struct DraftRecommendation {
    pub text: String,
    #[serde(default)]
    pub based_on: Vec<String>,
}

/// At most how many findings of a model's are told.
pub const MOST_FINDINGS: usize = 5;
const MOST_RECOMMENDATIONS: usize = 3;
/// At most how many facts of a sentence that fails are told in its place.
const MOST_FACTS_IN_PLACE: usize = 3;

impl DraftFinding {
    /// Whether it may be told.
    pub fn verdict(&self, brief: &Brief) -> Verdict {
        verification::finding(&self.text, &self.fact_ids, brief, INSTRUCTION)
    }

    /// It as it is told.
    pub fn told(&self, brief: &Brief) -> Finding {
        let facts = self.fact_ids.iter().filter_map(|id| brief.fact(id));
        Finding::new(self.text.trim().to_owned(), facts.cloned().collect())
    }

    /// What is told in its place: each of its facts in the service's own words.
    pub fn in_its_place(&self, brief: &Brief) -> Vec<Finding> {
        self.fact_ids
            .iter()
            .filter_map(|id| brief.fact(id))
            .filter_map(|fact| Some((fact, brief.description_of(fact)?)))
            .map(|(fact, of)| Finding::new(wording::sentence(fact, of), vec![fact.clone()]))
            .take(MOST_FACTS_IN_PLACE)
            .collect()
    }
}

/// A draft that was held against the facts.
#[derive(Debug, Clone)]
pub struct Checked {
    pub findings: Vec<DraftFinding>,
    pub recommendations: Vec<DraftRecommendation>,
    pub verification: Verification,
    /// What is wrong with its findings; empty if all may be told.
    pub faults: Vec<Fault>,
}

impl Draft {
    /// Holds the draft against the facts of `brief`. Recommendations that may
    /// not be told are left out; findings are not, they are what was asked for.
    pub fn check(mut self, brief: &Brief) -> Checked {
        let mut verification = Verification::default();
        let mut faults = Vec::new();
        self.findings.truncate(MOST_FINDINGS);
        if self.findings.is_empty() {
            faults.push(Fault::Length);
        }
        for finding in &self.findings {
            let verdict = finding.verdict(brief);
            verification.add(&verdict);
            faults.extend(verdict.faults);
        }
        let recommendations = recommendations(self.recommendations, brief, &mut verification);
        Checked {
            findings: self.findings,
            recommendations,
            verification,
            faults,
        }
    }
}

/// Those recommendations that may be told.
pub fn recommendations(
    drafts: Vec<DraftRecommendation>,
    brief: &Brief,
    verification: &mut Verification,
) -> Vec<DraftRecommendation> {
    drafts
        .into_iter()
        .take(MOST_RECOMMENDATIONS)
        .filter(|draft| {
            let (text, ids) = (&draft.text, &draft.based_on);
            let verdict = verification::recommendation(text, ids, brief, INSTRUCTION);
            verification.add(&verdict);
            verdict.passes()
        })
        .collect()
}

impl Verification {
    /// Counts what came of one text.
    pub fn add(&mut self, verdict: &Verdict) {
        self.numbers_checked += verdict.numbers_checked;
        self.numbers_unsupported += verdict.numbers_unsupported;
    }
}
