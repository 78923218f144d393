//! What an answer must never do: stand between a person and help, diagnose, or
//! dose.

mod normalize;
mod output_policy;
mod red_flags;

use normalize::normalize;
pub use output_policy::check;
pub use red_flags::{RedFlag, red_flag};

/// What an answer is not.
pub const DISCLAIMER: &str = "This is general wellness information computed from the readings \
    that are stored. It is not medical advice and no diagnosis. For health concerns, talk to a \
    doctor.";
