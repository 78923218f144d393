//! Verification of a model's sentences against the facts that they cite.
//!
//! A sentence passes if it consists of known words only, each number in it is
//! the value of a cited fact to the digits shown, and the data type, statistic,
//! period, unit and direction that the words state are those of that fact.
//! Unknown words could state anything, in any language, so one of them fails the
//! sentence. A failed sentence is replaced by the service's own wording of its
//! facts: a false alarm costs style, never truth.
//!
//! | module | content |
//! | --- | --- |
//! | `tokens` | words, numbers and punctuation |
//! | `phrases` | table of known phrases and neutral words |
//! | `sentence` | clauses and what they state |
//! | `assertions` | comparison of the statements with the facts |
//! | `stated_number` | comparison of one number with one fact |
//! | `verdict` | result: counts and violations |

mod assertions;
mod phrases;
mod sentence;
mod stated_number;
mod tokens;
mod verdict;

pub use phrases::NEUTRAL_WORDS;
pub use verdict::{DraftViolation, Verdict};

use super::context::AnalysisContext;
use super::facts::Fact;
use super::safety;

/// Maximum length of a sentence in characters.
const MAX_SENTENCE_CHARS: usize = 400;

/// Maximum number of facts that a sentence may cite.
const MAX_CITED_FACTS: usize = 12;

/// Verifies a sentence that cites `fact_ids`, generated under `instruction`.
pub fn verify_sentence(
    text: &str,
    fact_ids: &[String],
    context: &AnalysisContext,
    instruction: &str,
) -> Verdict {
    let mut verdict = Verdict::default();
    if text.trim().is_empty()
        || text.chars().count() > MAX_SENTENCE_CHARS
        || fact_ids.len() > MAX_CITED_FACTS
    {
        verdict.violations.push(DraftViolation::Length);
        return verdict;
    }
    if safety::check(text).is_err() || !text.chars().all(is_permitted) {
        verdict.violations.push(DraftViolation::Unsafe);
    }
    if leaks(text, instruction) {
        verdict.violations.push(DraftViolation::Leak);
    }
    let cited = cited_facts(fact_ids, context, &mut verdict);
    if cited.is_empty() {
        verdict.violations.push(DraftViolation::NothingCited);
    }
    assertions::check(text, &cited, &mut verdict);
    verdict
}

/// Returns true if a sentence may contain the character. Others could hide
/// words.
fn is_permitted(character: char) -> bool {
    character.is_ascii_alphanumeric() || " ,.;:()%/'–—−-°₂²".contains(character)
}

fn cited_facts<'a>(
    fact_ids: &[String],
    context: &'a AnalysisContext,
    verdict: &mut Verdict,
) -> Vec<&'a Fact> {
    let mut facts = Vec::with_capacity(fact_ids.len());
    for id in fact_ids {
        match context.citable(id) {
            Some(fact) => facts.push(fact),
            None => verdict.violations.push(DraftViolation::UnknownFact),
        }
    }
    facts
}

/// Length of a run of words that cannot be shared with the instruction by
/// coincidence.
const PROMPT_LEAK_WORDS: usize = 7;

/// Returns true if `text` quotes or mentions the instruction.
fn leaks(text: &str, instruction: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (stated, secret) = (words(text), words(instruction));
    let mentions_it = [
        "fact_id",
        "based_on",
        "system instruction",
        "system prompt",
        "my instructions",
    ]
    .iter()
    .any(|name| text.to_lowercase().contains(name));
    mentions_it
        || stated
            .windows(PROMPT_LEAK_WORDS)
            .any(|run| secret.windows(PROMPT_LEAK_WORDS).any(|other| run == other))
}

#[cfg(test)]
mod tests;
