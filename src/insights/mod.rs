//! Answers to questions about a user's readings.
//!
//! Readings arrive as input: nothing here reads a store, and nothing here
//! knows whose the readings are. A question goes this way:
//!
//! 1. `safety` looks for signs that help is needed now; then nothing else is
//!    answered.
//! 2. A [`AnalysisContext`] gathers what bears on the question (`intent`, `topics`):
//!    for each data type one series of readings, and the facts computed from it
//!    (`analysis`). Every number that an answer may hold is one of these.
//! 3. An [`InsightProvider`] chooses among them and puts them in words: the
//!    [`StatisticalProvider`] by rules (`statistical`, `wording`), the
//!    [`GeminiProvider`] by a model (`generation`, over [`gemini`]), which is held
//!    to the facts (`verification`).

mod answer;
mod context;
mod facts;
pub mod gemini;
mod generation;
mod provider;
mod question;
mod safety;
mod statistical;
mod text;
mod verification;

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::telemetry::metrics::names;

pub use answer::{Insight, InsightStatus};
pub use context::AnalysisContext;
pub use facts::{Evidence, Observation};
pub use generation::GeminiProvider;
pub use provider::{DeltaSink, InsightProvider};
pub use question::Question;
pub use statistical::StatisticalProvider;

/// Answers questions, safely: through whatever provider.
#[derive(Clone)]
pub struct Insights {
    provider: Arc<dyn InsightProvider>,
    /// Places for computing at once.
    places: Arc<Semaphore>,
}

/// How many questions are computed at once: what a user has a lot of readings
/// for may take a good part of a second, and other routes need the cores too.
const COMPUTED_AT_ONCE: usize = 2;

/// What there is before anything is phrased.
enum Prepared {
    Escalated(Box<Insight>),
    Context(Box<AnalysisContext>),
}

impl Prepared {
    fn new(question: Question, evidence: Evidence, now: Timestamp) -> Self {
        match safety::red_flag(&question, &evidence) {
            Some(flag) => Self::Escalated(Box::new(answer::escalation::answer(flag))),
            None => Self::Context(Box::new(AnalysisContext::new(question, evidence, now))),
        }
    }
}

impl Insights {
    /// Answers in the words of `provider`.
    pub fn new(provider: Arc<dyn InsightProvider>) -> Self {
        Self {
            provider,
            places: Arc::new(Semaphore::new(COMPUTED_AT_ONCE)),
        }
    }

    /// Answers `question` from `evidence` as of `now`. Where `deltas` are
    /// wanted, the answer's text goes there as it comes.
    pub async fn answer(
        &self,
        question: Question,
        evidence: Evidence,
        now: Timestamp,
        deltas: &DeltaSink,
    ) -> Insight {
        let insight = match self.prepare(question, evidence, now).await {
            Prepared::Escalated(insight) => *insight,
            Prepared::Context(context) => self.provider.answer(&context, deltas).await,
        };
        deltas.finish(&insight.text).await;
        metrics::counter!(names::INSIGHTS.name, "status" => insight.status.as_str()).increment(1);
        insight
    }

    /// Computes what there is to say, away from the threads that serve requests.
    async fn prepare(&self, question: Question, evidence: Evidence, now: Timestamp) -> Prepared {
        // Never closed, so there is always a place in the end.
        let _place = self.places.acquire().await.ok();
        let computed =
            tokio::task::spawn_blocking(move || Prepared::new(question, evidence, now)).await;
        match computed {
            Ok(prepared) => prepared,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}
