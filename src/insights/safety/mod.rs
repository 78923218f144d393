//! What an answer must never do: stand between a person and help, diagnose, or
//! dose.

mod red_flags;
mod utterances;

pub use red_flags::{RedFlag, red_flag};
pub use utterances::check;

/// What an answer is not.
pub const DISCLAIMER: &str = "This is general wellness information computed from the readings \
    that are stored. It is not medical advice and no diagnosis. For health concerns, talk to a \
    doctor.";

/// A text in lower case, with one shape of apostrophe and single spaces, as the
/// patterns here expect it.
fn plain(text: &str) -> String {
    let text = text
        .to_lowercase()
        .replace(['’', '‘', '`', '´', 'ʼ'], "'")
        .replace(['_', '-', '‑', '–'], " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
