//! Answers to questions about a user's readings.
//!
//! Readings arrive as input: nothing here reads a store, and nothing here
//! knows whose the readings are. A question goes this way:
//!
//! 1. `safety` looks for signs that help is needed now; then nothing else is
//!    answered.
//! 2. A [`Brief`] gathers what bears on the question (`intent`, `topics`):
//!    for each data type one series of readings, and the facts computed from it
//!    (`analysis`). Every number that an answer may hold is one of these.
//! 3. An [`InsightProvider`] chooses among them and puts them in words: the
//!    [`StatisticalProvider`] by rules (`statistical`, `wording`), the
//!    [`GeminiProvider`] by a model (`phrasing`, over [`gemini`]), which is held
//!    to the facts (`verification`).

mod advice;
mod analysis;
mod answer;
mod brief;
mod escalation;
mod fact;
pub mod gemini;
mod intent;
mod observation;
mod phrasing;
mod provider;
mod question;
mod safety;
mod statistical;
mod topics;
mod verification;
mod wording;
mod words;

use std::sync::Arc;

use jiff::Timestamp;

pub use answer::{Insight, InsightStatus};
pub use brief::Brief;
pub use observation::{Evidence, Observation};
pub use phrasing::GeminiProvider;
pub use provider::{Deltas, InsightProvider};
pub use question::Question;
pub use statistical::StatisticalProvider;

/// Answers questions, safely: through whatever provider.
#[derive(Clone)]
pub struct Insights {
    provider: Arc<dyn InsightProvider>,
}

impl Insights {
    /// Answers in the words of `provider`.
    pub fn new(provider: Arc<dyn InsightProvider>) -> Self {
        Self { provider }
    }

    /// Answers `question` from `evidence` as of `now`. Where `deltas` are
    /// wanted, the answer's text goes there as it comes.
    pub async fn answer(
        &self,
        question: Question,
        evidence: Evidence,
        now: Timestamp,
        deltas: &Deltas,
    ) -> Insight {
        if let Some(flag) = safety::red_flag(&question, &evidence) {
            let insight = escalation::answer(flag);
            deltas.finish(&insight.text).await;
            return insight;
        }
        let brief = Brief::of(question, &evidence, now);
        // The facts are all that is needed of the readings from here on.
        drop(evidence);
        let insight = self.provider.answer(&brief, deltas).await;
        deltas.finish(&insight.text).await;
        insight
    }
}
