//! Detection of red flags: signs of an emergency in a question or in readings.

mod limits;
mod red_flag;
mod signs;
mod spelling;
mod stated_values;

pub use red_flag::{FlaggedReading, RedFlag};

use crate::domain::vocabulary::Metric;
use crate::insights::facts::{Evidence, Observation};
use crate::insights::question::Question;

/// Returns the first red flag in the question or in the newest readings.
pub fn detect(question: &Question, evidence: &Evidence) -> Option<RedFlag> {
    detect_in_text(question.as_str()).or_else(|| match evidence {
        Evidence::Readings {
            observations,
            ahead,
            ..
        } => limits::detect_in_readings(observations).or_else(|| limits::detect_in_readings(ahead)),
        Evidence::Withheld => None,
    })
}

/// Returns the data types whose newest reading could not be judged, since its unit is
/// not known: of the readings up to now, and of those dated ahead.
pub fn unjudged(observations: &[Observation], ahead: &[Observation]) -> Vec<&'static Metric> {
    let mut metrics: Vec<&'static Metric> = limits::unjudged(observations).collect();
    for metric in limits::unjudged(ahead) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    metrics
}

fn detect_in_text(question: &str) -> Option<RedFlag> {
    let text = spelling::normalize_spelling(question);
    let kind = signs::detect(&text).or_else(|| stated_values::detect(&text))?;
    Some(RedFlag {
        kind,
        reading: None,
    })
}
