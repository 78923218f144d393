//! One attempt: a request, and its response.

use std::time::Duration;

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Request, Response};
use tokio::time::{Instant, timeout_at};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use super::error::{GeminiError, GeminiErrorKind, TimeoutKind};
use super::response::{self, Finished, TextSink, Transcript};
use crate::telemetry::RequestStats;
use crate::telemetry::metrics::names;

/// The most bytes of a response: 8,192 tokens have far fewer, even a few to a
/// frame with its fields.
const MAX_RESPONSE_BYTES: usize = 1024 * 1024;

/// Sends the request and takes the answer, whose text goes to the sink as it
/// comes if there is one.
pub(super) async fn exchange(
    http: &reqwest::Client,
    request: Request,
    patience: Patience,
    sink: Option<&mut dyn TextSink>,
) -> Result<Finished, GeminiError> {
    let response = patience
        .first_byte(http.execute(request))
        .await?
        .map_err(connection_failure)?;
    let status = response.status();
    if !status.is_success() {
        let headers = response.headers().clone();
        // The status alone says enough if its body does not come.
        let body = read(response, patience).await.unwrap_or_default();
        return Err(response::of_response(status, &headers, &body));
    }
    match sink {
        Some(sink) if is_event_stream(response.headers()) => {
            take_stream(response, patience, sink).await
        }
        Some(sink) => take_whole(response, patience, |text| sink.push(text)).await,
        None => take_whole(response, patience, |_| ()).await,
    }
}

async fn take_whole(
    response: Response,
    patience: Patience,
    hand_on: impl FnOnce(&str),
) -> Result<Finished, GeminiError> {
    let body = read(response, patience).await?;
    let mut transcript = Transcript::default();
    transcript.take(&body)?;
    let finished = transcript.finish()?;
    hand_on(&finished.text);
    Ok(finished)
}

/// Takes events until Gemini says that it is done: what may break after that
/// breaks nothing.
async fn take_stream(
    response: Response,
    patience: Patience,
    sink: &mut dyn TextSink,
) -> Result<Finished, GeminiError> {
    let mut received = 0;
    let bounded = response.bytes_stream().map(|chunk| {
        let chunk = chunk.map_err(broken)?;
        received += chunk.len();
        if received > MAX_RESPONSE_BYTES {
            return Err(GeminiError::from(GeminiErrorKind::TooLarge));
        }
        Ok(chunk)
    });
    let mut events = bounded.eventsource();
    let mut transcript = Transcript::default();
    while !transcript.is_done() {
        let Some(event) = patience.idle(events.next()).await? else {
            break;
        };
        let event = event.map_err(|error| match error {
            EventStreamError::Transport(failure) => failure,
            EventStreamError::Utf8(_) | EventStreamError::Parser(_) => {
                GeminiErrorKind::NotUnderstood.into()
            }
        })?;
        let text = transcript.take(event.data.as_bytes())?;
        if !text.is_empty() {
            sink.push(text);
        }
    }
    Ok(transcript.finish()?)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

async fn read(mut response: Response, patience: Patience) -> Result<Vec<u8>, GeminiError> {
    let mut body = Vec::new();
    while let Some(chunk) = patience.idle(response.chunk()).await?.map_err(broken)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(GeminiErrorKind::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn connection_failure(error: reqwest::Error) -> GeminiError {
    let kind = if error.is_timeout() {
        GeminiErrorKind::Timeout(TimeoutKind::Connect)
    } else {
        GeminiErrorKind::Connect
    };
    GeminiError::caused_by(kind, error)
}

fn broken(error: reqwest::Error) -> GeminiError {
    GeminiError::caused_by(GeminiErrorKind::BrokenStream, error)
}

/// How long the steps of one attempt may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    deadline: Instant,
    /// For the answer to begin.
    first_byte: Duration,
    /// For the answer to go on.
    idle: Duration,
}

impl Patience {
    /// For an attempt that begins now. Unless it is the last, a silent Gemini
    /// costs it half of what is left, so that another one still fits.
    pub(super) fn until(deadline: Instant, is_last: bool) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self {
            deadline,
            first_byte: if is_last { left } else { left / 2 },
            idle: if is_last { left } else { left / 4 },
        }
    }

    pub(super) async fn first_byte<T>(
        &self,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        self.within(self.first_byte, TimeoutKind::FirstByte, step)
            .await
    }

    pub(super) async fn idle<T>(
        &self,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        self.within(self.idle, TimeoutKind::Idle, step).await
    }

    async fn within<T>(
        &self,
        allowed: Duration,
        kind: TimeoutKind,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        let end = Instant::now() + allowed;
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
