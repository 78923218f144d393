//! What is told of each request to Gemini.

use std::future::Future;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::failure::GeminiError;
use super::transcript::Finished;
use crate::telemetry::RequestStats;
use crate::telemetry::metrics::names;

/// A request under way. Dropped before its end, it was given up by whoever
/// asked.
struct Attempt {
    began: Instant,
    outcome: &'static str,
    span: Span,
}

/// Counts one request to Gemini, how it ends and what it takes, and makes a span
/// of it.
pub(super) async fn measured(
    exchange: impl Future<Output = Result<Finished, GeminiError>>,
) -> Result<Finished, GeminiError> {
    RequestStats::count_attempt();
    let span = info_span!(
        "gemini",
        otel.name = "gemini",
        otel.kind = "client",
        otel.status_code = Empty,
        outcome = Empty,
    );
    let mut attempt = Attempt {
        began: Instant::now(),
        outcome: "interrupted",
        span: span.clone(),
    };
    let finished = exchange.instrument(span).await;
    attempt.outcome = match &finished {
        Ok(finished) => {
            let usage = &finished.usage;
            for (kind, tokens) in [
                ("prompt", usage.prompt_tokens),
                ("answer", usage.output_tokens),
                ("thought", usage.thought_tokens),
            ] {
                if let Some(tokens) = tokens {
                    metrics::counter!(names::GEMINI_TOKENS.name, "kind" => kind).increment(tokens);
                }
            }
            OK
        }
        Err(failure) => failure.kind.code(),
    };
    finished
}

const OK: &str = "ok";

impl Drop for Attempt {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        if self.outcome != OK {
            self.span.record("otel.status_code", "ERROR");
        }
        metrics::counter!(names::GEMINI_ATTEMPTS.name, "outcome" => self.outcome).increment(1);
        metrics::histogram!(names::GEMINI_ATTEMPT_DURATION.name).record(self.began.elapsed());
    }
}
