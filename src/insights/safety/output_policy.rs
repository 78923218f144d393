//! Policy for text that a model generates.

use std::sync::LazyLock;

use regex::RegexSet;

/// Kind of statement that a model must not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyViolation {
    /// Dose of a medicine, or advice to change or stop one.
    Dose,
    /// Statement that the user has or does not have an illness.
    Diagnosis,
    /// Statement that medical help is not needed.
    Reassurance,
    /// URL, markup or control characters.
    NotProse,
}

/// Patterns of forbidden statements.
const PATTERNS: &[(PolicyViolation, &str)] = &[
    (
        PolicyViolation::Dose,
        r"(?-u:\b)[0-9]+(?:[.,][0-9]+)? *(?:mg|mcg|µg|ug|milligrams?|micrograms?|iu|units?|tablets?|pills?|capsules?|puffs?|drops?)(?-u:\b)(?: +(?:of|per|daily|a day|twice|every)| *[.,;!]| *$)",
    ),
    (
        PolicyViolation::Dose,
        r"(?-u:\b)(?:take|taking|inject|increas[a-z]+|decreas[a-z]+|reduc[a-z]+|lower[a-z]*|rais[a-z]+|adjust[a-z]*|doubl[a-z]+|halv[a-z]+|skip[a-z]*|stop[a-z]*|start[a-z]*|chang[a-z]+)(?-u:\b)[^.!?]{0,40}(?-u:\b)(?:insulin|medication|medicine|dose|dosage|metformin|aspirin|ibuprofen|paracetamol|acetaminophen|beta.?blocker[a-z]*|statin[a-z]*|antidepressant[a-z]*|melatonin|warfarin|pills?|tablets?|prescription)(?-u:\b)",
    ),
    (
        PolicyViolation::Diagnosis,
        r"(?-u:\b)you(?:'re| are)? (?:likely |probably |may |might |could |clearly |definitely |certainly |do |seem to |appear to )*(?:have|suffer[a-z]* from|diagnosed with|show[a-z]* signs of|experiencing|developing)(?-u:\b)[^.!?]{0,30}(?-u:\b)(?:diabetes|prediabetes|pre diabetes|hypertension|hypotension|apnea|apnoea|arrhythmia|tachycardia|bradycardia|fibrillation|afib|anaemia|anemia|depression|insomnia|disorder|disease|syndrome|infection|cancer|asthma|copd|covid|hypoglyc[a-z]+|hyperglyc[a-z]+|anxiety|heart failure|stroke)(?-u:\b)",
    ),
    (
        PolicyViolation::Diagnosis,
        r"(?-u:\b)(?:diagnos[a-z]+|indicat[a-z]+|suggest[a-z]*|consistent with|sign of|signs of|symptoms? of|evidence of|points? to|mean[a-z]* (?:that )?you have|confirm[a-z]*)(?-u:\b)[^.!?]{0,30}(?-u:\b)(?:diabetes|prediabetes|pre diabetes|hypertension|hypotension|apnea|apnoea|arrhythmia|tachycardia|bradycardia|fibrillation|afib|anaemia|anemia|depression|insomnia|disorder|disease|syndrome|infection|cancer|asthma|copd|covid|hypoglyc[a-z]+|hyperglyc[a-z]+|anxiety|heart failure|stroke)(?-u:\b)",
    ),
    (
        PolicyViolation::Diagnosis,
        r"(?-u:\b)you(?:'re| are) (?:a |an )?(?:pre ?)?(?:diabetic|hypertensive|anaemic|anemic|depressed|epileptic|asthmatic|bradycardic|tachycardic)(?-u:\b)",
    ),
    (
        PolicyViolation::Reassurance,
        r"(?-u:\b)(?:no need|don'?t need|do not need|needn'?t|unnecessary|not necessary)(?-u:\b)[^.!?]{0,30}(?-u:\b)(?:doctor|physician|medical|hospital|emergency|help|professional)(?-u:\b)",
    ),
    (
        PolicyViolation::NotProse,
        r"(?:https?|ftp|javascript|data|file|mailto):|www\.|<[a-z/!]|\]\(|```",
    ),
];

static COMPILED: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    // The patterns are constant; a test verifies that they compile.
    RegexSet::new(PATTERNS.iter().map(|(_, words)| *words)).ok()
});

/// Checks that `text` contains no forbidden statement.
///
/// # Errors
/// Returns the first kind of forbidden statement found.
pub fn check(text: &str) -> Result<(), PolicyViolation> {
    if text.chars().any(char::is_control) {
        return Err(PolicyViolation::NotProse);
    }
    let normalized = super::normalize(text);
    let found = COMPILED
        .as_ref()
        .and_then(|patterns| patterns.matches(&normalized).into_iter().next());
    match found.and_then(|index| PATTERNS.get(index)) {
        Some((violation, _)) => Err(*violation),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doses_and_diagnoses_are_rejected() {
        for (text, violation) in [
            ("Take 500 mg of paracetamol.", PolicyViolation::Dose),
            ("Try melatonin 3 mg.", PolicyViolation::Dose),
            ("Use 4 units of rapid insulin.", PolicyViolation::Dose),
            (
                "You could increase your evening insulin a little.",
                PolicyViolation::Dose,
            ),
            ("Stop taking your medication.", PolicyViolation::Dose),
            ("You have diabetes.", PolicyViolation::Diagnosis),
            ("You probably have sleep apnea.", PolicyViolation::Diagnosis),
            ("This suggests hypertension.", PolicyViolation::Diagnosis),
            (
                "Your values are consistent with atrial fibrillation.",
                PolicyViolation::Diagnosis,
            ),
            ("You're diabetic.", PolicyViolation::Diagnosis),
            ("You don’t need a doctor.", PolicyViolation::Reassurance),
            ("See https://example.com", PolicyViolation::NotProse),
            ("See [this](x)", PolicyViolation::NotProse),
            ("a\u{7}b", PolicyViolation::NotProse),
        ] {
            assert_eq!(check(text), Err(violation), "{text}");
        }
    }

    #[test]
    fn wellness_statements_are_accepted() {
        for text in [
            "Your mean glucose in the last 7 days was 102 mg/dL.",
            "Glucose was 5.4 mmol/L on average, from 92 mg/dL to 140 mg/dL.",
            "A short walk after dinner is a nice habit.",
            "Talk to a doctor about anything that worries you.",
            "You have walked on 28 days.",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }
}
