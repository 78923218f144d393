//! Holds what a model wrote against the facts that it cites.
//!
//! A sentence passes when it consists of words that are known, each number in it
//! is that of a cited fact at the digits shown, and the data type, the
//! statistic, the period, the unit and the direction that its words name are
//! those of that fact. Words that are not known might say anything, in any
//! language: with one of them a sentence does not pass. The facts' own wording
//! takes its place, so that a doubt costs style and never truth.

mod assertions;
mod phrases;
mod sentence;
mod tokens;

pub use phrases::NEUTRAL_WORDS;

use super::context::AnalysisContext;
use super::facts::Fact;
use super::safety;

/// What came of holding a text against facts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Numbers, and words for numbers, that were looked at.
    pub numbers_checked: usize,
    /// Those that are no cited fact's.
    pub numbers_unsupported: usize,
    /// Everything that is wrong; empty if the text may go out.
    pub faults: Vec<DraftViolation>,
}

impl Verdict {
    /// Whether the text may go out.
    pub fn passes(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What is wrong with a text, in words that help to write it better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DraftViolation {
    /// It is no answer as the schema has it.
    #[error("it is not the JSON object that the schema describes")]
    NotADraft,
    /// An id in the citations is no fact's.
    #[error("it cites a fact id that does not exist")]
    UnknownFact,
    /// It cites nothing.
    #[error("it cites no fact")]
    NothingCited,
    /// A number is no cited fact's, or not of what the words say.
    #[error(
        "a number is not that of a cited fact with the metric, statistic, period and unit that the sentence names"
    )]
    UnsupportedNumber,
    /// It speaks of a data type of which it cites nothing.
    #[error("it speaks of a metric of which it cites no fact")]
    UnsupportedMetric,
    /// It tells of a period of which it cites nothing.
    #[error("it names a period of which it cites no fact")]
    UnsupportedPeriod,
    /// It tells of a change that the facts do not.
    #[error("it tells of a change that no cited fact shows")]
    UnsupportedChange,
    /// It says more than one thing at a time.
    #[error("it is not simple: one metric, and in each clause one number, or one direction alone")]
    NotSimple,
    /// It has a word that may say anything.
    #[error("it uses words that are not on the list of words")]
    UnknownWord,
    /// It must not be said.
    #[error("it doses, diagnoses, reassures or is no plain prose")]
    Unsafe,
    /// It gives away the instruction.
    #[error("it repeats the instruction")]
    Leak,
    /// It is empty or longer than a sentence or two.
    #[error("it must be one short sentence")]
    Length,
}

/// The most characters of a sentence.
const LONGEST_SENTENCE: usize = 400;

/// The most facts that a sentence may cite.
const MOST_CITED: usize = 12;

/// Whether the model may say `text` as a finding that rests on `fact_ids`,
/// having been given `instruction`.
pub fn finding(
    text: &str,
    fact_ids: &[String],
    context: &AnalysisContext,
    instruction: &str,
) -> Verdict {
    let mut verdict = Verdict::default();
    if text.trim().is_empty()
        || text.chars().count() > LONGEST_SENTENCE
        || fact_ids.len() > MOST_CITED
    {
        verdict.faults.push(DraftViolation::Length);
        return verdict;
    }
    if safety::check(text).is_err() || !text.chars().all(is_plain) {
        verdict.faults.push(DraftViolation::Unsafe);
    }
    if repeats(text, instruction) {
        verdict.faults.push(DraftViolation::Leak);
    }
    let cited = cited(fact_ids, context, &mut verdict);
    if cited.is_empty() {
        verdict.faults.push(DraftViolation::NothingCited);
    }
    assertions::check(text, &cited, &mut verdict);
    verdict
}

/// Whether a character may stand in a sentence. Others could hide words.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || " ,.;:()%/'–—−-°₂²".contains(character)
}

fn cited<'a>(
    fact_ids: &[String],
    context: &'a AnalysisContext,
    verdict: &mut Verdict,
) -> Vec<&'a Fact> {
    let mut facts = Vec::with_capacity(fact_ids.len());
    for id in fact_ids {
        match context.citable(id) {
            Some(fact) => facts.push(fact),
            None => verdict.faults.push(DraftViolation::UnknownFact),
        }
    }
    facts
}

/// So many words in a row are no coincidence.
const WORDS_OF_A_LEAK: usize = 7;

/// Whether `text` holds a run of words of `instruction`, or speaks of it.
fn repeats(text: &str, instruction: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|character: char| !character.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (said, secret) = (words(text), words(instruction));
    let speaks_of_it = [
        "fact_id",
        "based_on",
        "system instruction",
        "system prompt",
        "my instructions",
    ]
    .iter()
    .any(|name| text.to_lowercase().contains(name));
    speaks_of_it
        || said
            .windows(WORDS_OF_A_LEAK)
            .any(|run| secret.windows(WORDS_OF_A_LEAK).any(|other| run == other))
}

#[cfg(test)]
mod tests;
