//! Signs that somebody needs help now.

mod limits;
mod red_flag;
mod signs;
mod spelling;
mod stated_values;

pub use red_flag::RedFlag;

use crate::insights::facts::Evidence;
use crate::insights::question::Question;

/// A sign in the question or in the latest readings that somebody needs help
/// now.
pub fn red_flag(question: &Question, evidence: &Evidence) -> Option<RedFlag> {
    in_text(question.as_str()).or_else(|| match evidence {
        Evidence::Readings { observations, .. } => limits::in_readings(observations),
        Evidence::Withheld => None,
    })
}

fn in_text(question: &str) -> Option<RedFlag> {
    let text = spelling::normal(question);
    let kind = signs::in_words(&text).or_else(|| stated_values::in_stated_values(&text))?;
    Some(RedFlag {
        kind,
        observation: None,
    })
}
