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
