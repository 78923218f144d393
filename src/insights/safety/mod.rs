//! Safety rules: emergencies are escalated, and answers neither diagnose nor
//! suggest doses.

mod normalize;
mod output_policy;
mod red_flags;

use normalize::normalize;
pub use output_policy::check;
pub use red_flags::{RedFlag, detect as detect_red_flag};

/// Disclaimer in every answer.
pub const DISCLAIMER: &str = "This is general wellness information computed from the readings \
    that are stored. It is not medical advice and no diagnosis. For health concerns, talk to a \
    doctor.";
