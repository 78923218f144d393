//! One attempt: an HTTP exchange with its timeouts, metrics and span.

use std::time::Duration;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::error::{GeminiError, GeminiErrorKind, TimeoutKind};
use super::response::{self, Accumulator, FinishedReply, TextSink};
use crate::telemetry::RequestStats;
use crate::telemetry::metrics::names;

/// Maximum size of a response. 8,192 output tokens take far less, even at a few
/// tokens per stream event.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Sends the request and reads the reply. Text is passed to the sink, if there
/// is one, as it arrives.
pub(super) async fn send(
    http: &reqwest::Client,
    request: Request,
    timeouts: AttemptTimeouts,
    sink: Option<&mut dyn TextSink>,
) -> Result<FinishedReply, GeminiError> {
    let response = timeouts
        .first_byte(http.execute(request))
        .await?
        .map_err(connection_error)?;
    let status = response.status();
    if !status.is_success() {
        let headers = response.headers().clone();
        // The body only refines the error; the status alone suffices.
        let body = read_body(response, timeouts).await.unwrap_or_default();
        return Err(response::status_error(status, &headers, &body));
    }
    match sink {
        Some(sink) if is_event_stream(response.headers()) => {
            read_stream(response, timeouts, sink).await
        }
        Some(sink) => read_whole(response, timeouts, |text| sink.push(text)).await,
        None => read_whole(response, timeouts, |_| ()).await,
    }
}

async fn read_whole(
    response: Response,
    timeouts: AttemptTimeouts,
    forward: impl FnOnce(&str),
) -> Result<FinishedReply, GeminiError> {
    let body = read_body(response, timeouts).await?;
    let mut accumulator = Accumulator::default();
    accumulator.push(&body)?;
    let finished = accumulator.finish()?;
    forward(&finished.text);
    Ok(finished)
}

/// Reads events until Gemini reports the end of its reply. A connection error
/// after that is ignored.
async fn read_stream(
    response: Response,
    timeouts: AttemptTimeouts,
    sink: &mut dyn TextSink,
) -> Result<FinishedReply, GeminiError> {
    let mut received = 0;
    let bounded = response.bytes_stream().map(|chunk| {
        let chunk = chunk.map_err(stream_error)?;
        received += chunk.len();
        if received > MAX_RESPONSE_BYTES {
            return Err(GeminiError::from(GeminiErrorKind::TooLarge));
        }
        Ok(chunk)
    });
    let mut events = bounded.eventsource();
    let mut accumulator = Accumulator::default();
    while !accumulator.is_done() {
        let Some(event) = timeouts.idle(events.next()).await? else {
            break;
        };
        let event = event.map_err(|error| match error {
            EventStreamError::Transport(error) => error,
            EventStreamError::Utf8(_) | EventStreamError::Parser(_) => {
                GeminiErrorKind::Malformed.into()
            }
        })?;
        let text = accumulator.push(event.data.as_bytes())?;
        if !text.is_empty() {
            sink.push(text);
        }
    }
    Ok(accumulator.finish()?)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

async fn read_body(
    mut response: Response,
    timeouts: AttemptTimeouts,
) -> Result<Vec<u8>, GeminiError> {
    let mut body = Vec::new();
    while let Some(chunk) = timeouts
        .idle(response.chunk())
        .await?
        .map_err(stream_error)?
    {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(GeminiErrorKind::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn connection_error(error: reqwest::Error) -> GeminiError {
    let kind = if error.is_timeout() {
        GeminiErrorKind::Timeout(TimeoutKind::Connect)
    } else {
        GeminiErrorKind::Connect
    };
    GeminiError::caused_by(kind, error)
}

fn stream_error(error: reqwest::Error) -> GeminiError {
    GeminiError::caused_by(GeminiErrorKind::BrokenStream, error)
}

/// Time budgets of the steps of one attempt.
#[derive(Clone, Copy)]
pub(super) struct AttemptTimeouts {
    deadline: Instant,
    /// Until the response starts.
    first_byte: Duration,
    /// Between two chunks of the response.
    idle: Duration,
}

impl AttemptTimeouts {
    /// Budgets of an attempt that starts now. Unless it is the last one, a
    /// silent server may use up only half of the remaining time, so that
    /// another attempt fits.
    pub(super) fn until(deadline: Instant, is_last: bool) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self {
            deadline,
            first_byte: if is_last { left } else { left / 2 },
            idle: if is_last { left } else { left / 4 },
        }
    }

    async fn first_byte<T>(&self, step: impl Future<Output = T>) -> Result<T, GeminiErrorKind> {
        self.limit(self.first_byte, TimeoutKind::FirstByte, step)
            .await
    }

    async fn idle<T>(&self, step: impl Future<Output = T>) -> Result<T, GeminiErrorKind> {
        self.limit(self.idle, TimeoutKind::Idle, step).await
    }

    async fn limit<T>(
        &self,
        budget: Duration,
        kind: TimeoutKind,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        let end = Instant::now() + budget;
        let (end, kind) = if end < self.deadline {
            (end, kind)
        } else {
            (self.deadline, TimeoutKind::Deadline)
        };
        timeout_at(end, step)
            .await
            .map_err(|_| GeminiErrorKind::Timeout(kind))
    }
}

/// Records an attempt when dropped. An attempt dropped before it finished was
/// cancelled by its caller and counts as `interrupted`.
struct AttemptRecorder {
    started: Instant,
    outcome: &'static str,
    span: Span,
}

/// Runs an attempt in a span and records its outcome, duration and tokens.
pub(super) async fn instrument(
    attempt: impl Future<Output = Result<FinishedReply, GeminiError>>,
) -> Result<FinishedReply, GeminiError> {
    RequestStats::count_attempt();
    let span = info_span!(
        "gemini",
        otel.name = "gemini",
        otel.kind = "client",
        otel.status_code = Empty,
        outcome = Empty,
    );
    let mut recorder = AttemptRecorder {
        started: Instant::now(),
        outcome: "interrupted",
        span: span.clone(),
    };
    let result = attempt.instrument(span).await;
    recorder.outcome = match &result {
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
        Err(error) => error.kind.code(),
    };
    result
}

const OK: &str = "ok";

impl Drop for AttemptRecorder {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        if self.outcome != OK {
            self.span.record("otel.status_code", "ERROR");
        }
        metrics::counter!(names::GEMINI_ATTEMPTS.name, "outcome" => self.outcome).increment(1);
        metrics::histogram!(names::GEMINI_ATTEMPT_DURATION.name).record(self.started.elapsed());
    }
}
