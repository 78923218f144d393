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

mod assertions;
mod phrases;
mod sentence;
mod stated_number;
mod tokens;

pub use phrases::NEUTRAL_WORDS;

use super::context::AnalysisContext;
use super::facts::Fact;
use super::safety;

/// Result of verifying a text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Numbers and number words that were checked.
    pub numbers_checked: usize,
    /// Numbers that are not the value of a cited fact.
    pub numbers_unsupported: usize,
    /// Violations; empty if the text may be shown.
    pub violations: Vec<DraftViolation>,
}

impl Verdict {
    /// Returns true if the text may be shown.
    pub fn passes(&self) -> bool {
        self.violations.is_empty()
    }

    /// Adds the counts and violations of another text.
    pub fn merge(&mut self, other: Self) {
        self.numbers_checked += other.numbers_checked;
        self.numbers_unsupported += other.numbers_unsupported;
        self.violations.extend(other.violations);
    }
}

/// Violation found in a text.
///
/// The names are values of the log field `faults`. The messages are sent to the
/// model when it is asked for a repaired draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftViolation {
    /// The reply does not match the schema.
    #[error("it is not the JSON object that the schema describes")]
    NotADraft,
    /// A cited id is not the id of a fact.
    #[error("it cites a fact id that does not exist")]
    UnknownFact,
    /// No fact is cited.
    #[error("it cites no fact")]
    NothingCited,
    /// A number is not the value of a cited fact, or of one that the words do
    /// not describe.
    #[error(
        "a number is not that of a cited fact with the metric, statistic, period and unit that the sentence names"
    )]
    UnsupportedNumber,
    /// A data type is named without a cited fact of it.
    #[error("it speaks of a metric of which it cites no fact")]
    UnsupportedMetric,
    /// A period is named without a cited fact of it.
    #[error("it names a period of which it cites no fact")]
    UnsupportedPeriod,
    /// A direction is stated that no cited fact has.
    #[error("it tells of a change that no cited fact shows")]
    UnsupportedChange,
    /// More than one statement is made at a time.
    #[error("it is not simple: one metric, and in each clause one number, or one direction alone")]
    NotSimple,
    /// A word is not in the vocabulary.
    #[error("it uses words that are not on the list of words")]
    UnknownWord,
    /// The safety policy forbids the text, or it contains unusual characters.
    #[error("it doses, diagnoses, reassures or is no plain prose")]
    Unsafe,
    /// The system instruction is repeated.
    #[error("it repeats the instruction")]
    Leak,
    /// The text is empty or too long.
    #[error("it must be one short sentence")]
    Length,
}

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
