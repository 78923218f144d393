//! What an answer must never do: stand between a person and help, diagnose, or
//! dose.

mod plain;
mod red_flags;
mod utterances;

use plain::normalize;
pub use red_flags::{RedFlag, red_flag};
pub use utterances::check;

/// What an answer is not.
pub const DISCLAIMER: &str = "This is general wellness information computed from the readings \
    that are stored. It is not medical advice and no diagnosis. For health concerns, talk to a \
    doctor.";
