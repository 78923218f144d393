//! Detection of red flags: signs of an emergency in a question or in readings.

mod limits;
mod red_flag;
mod signs;
mod spelling;
mod stated_values;

pub use red_flag::RedFlag;

use crate::insights::facts::Evidence;
use crate::insights::question::Question;

/// Returns the first red flag in the question or in the newest readings.
pub fn detect(question: &Question, evidence: &Evidence) -> Option<RedFlag> {
    detect_in_text(question.as_str()).or_else(|| match evidence {
        Evidence::Readings { observations, .. } => limits::detect_in_readings(observations),
        Evidence::Withheld => None,
    })
}

fn detect_in_text(question: &str) -> Option<RedFlag> {
    let text = spelling::normalize_spelling(question);
    let kind = signs::detect(&text).or_else(|| stated_values::detect(&text))?;
    Some(RedFlag {
        kind,
        observation: None,
    })
}
