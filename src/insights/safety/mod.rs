//! Safety rules: emergencies are escalated, and answers neither diagnose nor
//! suggest doses.

mod normalize;
mod output_policy;
mod red_flags;

use normalize::normalize;
pub use output_policy::check;
pub use red_flags::{FlaggedReading, RedFlag, detect as detect_red_flag, unjudged};

use crate::domain::EmergencyNumber;

/// Returns the disclaimer of every answer.
pub fn disclaimer(emergency: EmergencyNumber) -> String {
    format!(
        "This is general wellness information computed from the readings that are stored. It \
         is not medical advice and no diagnosis. For health concerns, talk to a doctor. In an \
         emergency, call {}.",
        emergency.in_words()
    )
}

/// Returns the start of an answer to a question that was not understood, which may
/// describe an emergency.
pub fn emergency_advice(emergency: EmergencyNumber) -> String {
    format!(
        "If this is an emergency, call {} right away.",
        emergency.in_words()
    )
}
