use std::io::{self, Write as _};

use super::args::Import;
use crate::import::{ImportOutcome, Verification};

/// Prints the summary, the first source errors and the next steps.
pub(super) fn print_outcome(
    import: &Import,
    outcome: &ImportOutcome,
    uses_checkpoint: bool,
) -> io::Result<()> {
    for error in &outcome.errors {
        eprintln!("clarity-backend: {error}");
    }
    let mut output = io::stdout();
    if import.dry_run {
        writeln!(output, "Dry run: nothing is stored. Expected outcome:")?;
    }
    write!(output, "{}", outcome.summary)?;
    if !outcome.is_balanced() {
        eprintln!(
            "clarity-backend: the source has {} records, but {} are accounted for, which is a bug: please report it",
            outcome.read,
            outcome.summary.records()
        );
    }
    if outcome.summary.readings.rejected > 0 && import.report.is_none() {
        eprintln!(
            "To list the rejected records with reasons, repeat the import with --report FILE."
        );
    }
    let is_unfinished = outcome.was_interrupted || outcome.failure.is_some();
    if is_unfinished && uses_checkpoint {
        eprintln!("To continue, repeat the command with --resume.");
    } else if is_unfinished {
        eprintln!("To continue, repeat the command: stored readings are not stored again.");
    }
    Ok(())
}

/// Prints the comparison of the source with the store.
pub(super) fn print_verification(verification: &Verification) -> io::Result<()> {
    let mut output = io::stdout();
    let keys = || verification.counts.keys();
    let user = keys().map(|(user, _)| user.as_str().len()).max();
    let data_type = keys().map(|(_, data_type)| data_type.as_str().len()).max();
    let user_width = user.unwrap_or(0).max(4);
    let type_width = data_type.unwrap_or(0).max(9);
    writeln!(
        output,
        "{:<user_width$}  {:<type_width$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
        "user", "data type", "in source", "stored", "superseded", "missing", "different"
    )?;
    for ((user_id, data_type), counts) in &verification.counts {
        writeln!(
            output,
            "{:<user_width$}  {:<type_width$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
            user_id.as_str(),
            data_type.as_str(),
            counts.expected,
            counts.equal,
            counts.superseded,
            counts.missing,
            counts.different
        )?;
    }
    let verdict = match verification.is_complete() {
        true => "The store matches the source.",
        false if verification.was_interrupted => "Verification was interrupted.",
        false => "The store does not match the source.",
    };
    writeln!(output, "{verdict}")
}
