//! Answers to questions about a user's readings.
//!
//! Readings are passed in: this module does not read a store and does not know
//! the user's identity. A question passes these steps:
//!
//! 1. `safety` checks the question and the newest readings for signs of an
//!    emergency. If there is one, the answer only advises to seek help.
//! 2. An [`AnalysisContext`] selects the series of readings that the question is
//!    about (`question`) and computes their facts (`facts`). Every number in an
//!    answer is one of these facts.
//! 3. An [`InsightProvider`] selects facts and phrases them: the
//!    [`StatisticalProvider`] by rules (`statistical`, `answer::render`), the
//!    [`GeminiProvider`] with a model (`generation`, `gemini`) whose sentences
//!    are checked against the facts (`verification`).

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

/// Service that answers questions through a provider, after the safety checks.
#[derive(Clone)]
pub struct Insights {
    provider: Arc<dyn InsightProvider>,
    /// Limits concurrent computations.
    permits: Arc<Semaphore>,
}

/// Maximum number of concurrent computations. One over many readings may take a
/// good part of a second, and other routes need the cores too.
const MAX_CONCURRENT_ANALYSES: usize = 2;

/// Result of the analysis, before an answer is phrased.
enum Prepared {
    /// The answer to an emergency.
    Escalated(Box<Insight>),
    /// The facts to answer from.
    Context(Box<AnalysisContext>),
}

impl Prepared {
    fn new(question: Question, evidence: Evidence, now: Timestamp) -> Self {
        match safety::detect_red_flag(&question, &evidence) {
            Some(flag) => Self::Escalated(Box::new(answer::escalation::answer(flag))),
            None => Self::Context(Box::new(AnalysisContext::new(question, evidence, now))),
        }
    }
}

impl Insights {
    /// Creates the service. Answers are phrased by `provider`.
    pub fn new(provider: Arc<dyn InsightProvider>) -> Self {
        Self {
            provider,
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT_ANALYSES)),
        }
    }

    /// Answers `question` from `evidence` as of `now`, and counts the answer by
    /// status. If `deltas` is enabled, the text is also streamed to it.
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

    /// Analyzes the question on a blocking thread, so that threads which serve
    /// requests stay responsive.
    async fn prepare(&self, question: Question, evidence: Evidence, now: Timestamp) -> Prepared {
        // The semaphore is never closed, so acquiring cannot fail.
        let _permit = self.permits.acquire().await.ok();
        let computed =
            tokio::task::spawn_blocking(move || Prepared::new(question, evidence, now)).await;
        match computed {
            Ok(prepared) => prepared,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}
