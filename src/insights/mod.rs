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
}

/// Question, analyzed from readings: what an answer is phrased from.
pub struct Analysis(AnalysisResult);

enum AnalysisResult {
    /// The answer to an emergency.
    Escalated(Box<Insight>),
    /// The facts to answer from.
    Context(Box<AnalysisContext>),
}

impl Analysis {
    /// Analyzes `question` from `evidence` as of `now`. Over many readings this may take
    /// a good part of a second, so it must not run on a thread that serves requests.
    pub fn new(question: Question, evidence: Evidence, now: Timestamp) -> Self {
        Self(match safety::detect_red_flag(&question, &evidence) {
            Some(flag) => {
                let emergency = question.emergency_number();
                AnalysisResult::Escalated(Box::new(answer::escalation::answer(flag, emergency)))
            }
            None => {
                let context = AnalysisContext::new(question, evidence, now);
                AnalysisResult::Context(Box::new(context))
            }
        })
    }
}

impl Insights {
    /// Creates the service. Answers are phrased by `provider`.
    pub fn new(provider: Arc<dyn InsightProvider>) -> Self {
        Self { provider }
    }

    /// Answers an analyzed question, and counts the answer by status. If `deltas` is
    /// enabled, the text is also streamed to it.
    pub async fn answer(&self, analysis: Analysis, deltas: &DeltaSink) -> Insight {
        let insight = match analysis.0 {
            AnalysisResult::Escalated(insight) => *insight,
            AnalysisResult::Context(context) => {
                if let Some(advice) = context.emergency_advice() {
                    deltas.send(&format!("{advice} ")).await;
                }
                self.provider.answer(&context, deltas).await
            }
        };
        deltas.finish(&insight.text).await;
        metrics::counter!(names::INSIGHTS.name, "status" => insight.status.as_str()).increment(1);
        insight
    }
}
