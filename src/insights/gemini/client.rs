use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Request};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::attempt::{AttemptTimeouts, instrument, send};
use super::circuit_breaker::{BreakerPermit, CircuitBreaker};
use super::error::{GeminiError, GeminiErrorKind, TimeoutKind};
use super::response::{FinishedReply, Reply, TextSink};
use super::settings::{GeminiSettings, GeminiSetupError, PathSegment, Timing};
use super::wire::{Prompt, request_body};

/// Maximum number of concurrent calls, so that insights do not starve the other
/// routes.
const MAX_CONCURRENT_CALLS: usize = 16;

/// Maximum attempts of a call, over both models together.
const MAX_ATTEMPTS: u32 = 3;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Client of the Gemini API. Clones share connections, circuit breakers and the
/// concurrency limit.
#[derive(Clone)]
pub struct GeminiClient {
    inner: Arc<ClientInner>,
}

struct ClientInner {
    http: reqwest::Client,
    model: ModelEndpoint,
    fallback: Option<ModelEndpoint>,
    call_slots: Semaphore,
    timing: Timing,
}

impl GeminiClient {
    /// Creates a client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the key is not a valid header value, the base URL is not an HTTP URL,
    /// or the HTTPS client cannot be built.
    pub fn new(settings: GeminiSettings) -> Result<Self, GeminiSetupError> {
        let headers = HeaderMap::from_iter([
            (KEY_HEADER, settings.key_header()?),
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        #[expect(clippy::disallowed_methods, reason = "every step has a timeout")]
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(settings.timing.connect)
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .map_err(GeminiSetupError::Client)?;
        let endpoint = |name: &PathSegment| ModelEndpoint::new(name, &settings);
        Ok(Self {
            inner: Arc::new(ClientInner {
                http,
                model: endpoint(&settings.model)?,
                fallback: settings.fallback_model.as_ref().map(endpoint).transpose()?,
                call_slots: Semaphore::new(MAX_CONCURRENT_CALLS),
                timing: settings.timing,
            }),
        })
    }

    /// Sends the prompt and returns the whole reply, by `deadline` at the
    /// latest. Dropping the future cancels the call.
    ///
    /// # Errors
    ///
    /// If no attempt succeeded and another one would be useless or too late.
    pub async fn generate(&self, prompt: &Prompt, deadline: Instant) -> Result<Reply, GeminiError> {
        self.inner.generate(prompt, deadline, None).await
    }

    /// Like [`generate`](Self::generate), and passes text to the sink as it
    /// arrives.
    ///
    /// # Errors
    ///
    /// As for [`generate`](Self::generate). A sink that is committed rules out
    /// further attempts.
    pub async fn stream(
        &self,
        prompt: &Prompt,
        deadline: Instant,
        sink: &mut dyn TextSink,
    ) -> Result<Reply, GeminiError> {
        self.inner.generate(prompt, deadline, Some(sink)).await
    }
}

impl ClientInner {
    async fn generate(
        &self,
        prompt: &Prompt,
        deadline: Instant,
        sink: Option<&mut dyn TextSink>,
    ) -> Result<Reply, GeminiError> {
        let started = Instant::now();
        let queue_deadline = deadline.min(started + self.timing.queue);
        let Ok(Ok(_slot)) = timeout_at(queue_deadline, self.call_slots.acquire()).await else {
            return Err(GeminiErrorKind::Busy.into());
        };
        let mut call = GenerateCall::new(prompt, sink, started, deadline);
        let result = self.try_models(&mut call).await;
        result.map_err(|mut error| {
            error.attempts = call.attempts;
            error
        })
    }

    /// Asks the primary model and, if that fails, the fallback model with the
    /// attempts and the time that are left.
    async fn try_models(&self, call: &mut GenerateCall<'_>) -> Result<Reply, GeminiError> {
        let Some(fallback) = &self.fallback else {
            return self.try_model(&self.model, MAX_ATTEMPTS, call).await;
        };
        let result = self.try_model(&self.model, MAX_ATTEMPTS - 1, call).await;
        let Err(error) = result else {
            return result;
        };
        if !error.kind.should_fall_back() || call.is_committed() {
            return Err(error);
        }
        let before = call.attempts;
        match self.try_model(fallback, MAX_ATTEMPTS, call).await {
            // Without an attempt, the primary model's error says more.
            Err(_) if call.attempts == before => Err(error),
            result => result,
        }
    }

    /// Asks one model until it replies, the call has made `max_attempts`, or
    /// another attempt would be useless or too late.
    async fn try_model(
        &self,
        model: &ModelEndpoint,
        max_attempts: u32,
        call: &mut GenerateCall<'_>,
    ) -> Result<Reply, GeminiError> {
        let mut backoff = ExponentialBuilder::default()
            .with_min_delay(self.timing.backoff)
            .with_jitter()
            .build();
        let mut last_error = None;
        loop {
            if call.time_left() < self.timing.min_attempt {
                let timeout = GeminiErrorKind::Timeout(TimeoutKind::Deadline);
                return Err(last_error.unwrap_or_else(|| timeout.into()));
            }
            let Some(permit) = model.breaker.admit() else {
                return Err(last_error.unwrap_or_else(|| GeminiErrorKind::CircuitOpen.into()));
            };
            let error = match call.attempt(&self.http, model).await {
                Ok(finished) => {
                    permit.record_success();
                    return Ok(call.reply(model, finished));
                }
                Err(error) => error,
            };
            log_error(&error, model, call.attempts);
            record_error(permit, &error, model);
            if !error.kind.is_transient() || call.is_committed() || call.attempts >= max_attempts {
                return Err(error);
            }
            let wait = backoff.next().max(error.retry_after).unwrap_or_default();
            // With a fallback model left, a long wait is not worth it.
            let max_wait = if max_attempts < MAX_ATTEMPTS {
                call.time_left() / 2
            } else {
                call.time_left().saturating_sub(self.timing.min_attempt)
            };
            if wait > max_wait {
                return Err(error);
            }
            sleep(wait).await;
            last_error = Some(error);
        }
    }
}

/// Reports an error to the model's circuit breaker.
fn record_error(permit: BreakerPermit<'_>, error: &GeminiError, model: &ModelEndpoint) {
    match error.kind.counts_as_healthy() {
        Some(true) => permit.record_success(),
        Some(false) => {
            if permit.record_failure() {
                tracing::warn!(
                    event = "gemini_circuit_opened",
                    model = model.name,
                    "circuit breaker open; model skipped"
                );
            }
        }
        None => drop(permit),
    }
}

fn log_error(error: &GeminiError, model: &ModelEndpoint, attempt: u32) {
    tracing::warn!(
        event = "gemini_failed",
        model = model.name,
        code = error.kind.code(),
        status = error.kind.status(),
        attempt,
        reason = %error,
        cause = error.root_cause(),
        "attempt to call Gemini failed"
    );
}

/// URLs and circuit breaker of a model.
struct ModelEndpoint {
    name: String,
    generate_url: Url,
    stream_url: Url,
    breaker: CircuitBreaker,
}

impl ModelEndpoint {
    fn new(name: &PathSegment, settings: &GeminiSettings) -> Result<Self, GeminiSetupError> {
        let mut stream_url = settings.url(name, "streamGenerateContent")?;
        stream_url.set_query(Some("alt=sse"));
        Ok(Self {
            name: name.to_string(),
            generate_url: settings.url(name, "generateContent")?,
            stream_url,
            breaker: CircuitBreaker::new(settings.timing.circuit_open),
        })
    }
}

/// State of one call across its attempts and models.
struct GenerateCall<'a> {
    body: String,
    sink: Option<&'a mut dyn TextSink>,
    started: Instant,
    deadline: Instant,
    /// Requests sent so far.
    attempts: u32,
}

impl<'a> GenerateCall<'a> {
    fn new(
        prompt: &Prompt,
        sink: Option<&'a mut dyn TextSink>,
        started: Instant,
        deadline: Instant,
    ) -> Self {
        Self {
            body: request_body(prompt),
            sink,
            started,
            deadline,
            attempts: 0,
        }
    }

    /// Sends the prompt once.
    async fn attempt(
        &mut self,
        http: &reqwest::Client,
        model: &ModelEndpoint,
    ) -> Result<FinishedReply, GeminiError> {
        self.attempts += 1;
        let url = match self.sink {
            Some(_) => &model.stream_url,
            None => &model.generate_url,
        };
        let mut request = Request::new(Method::POST, url.clone());
        *request.body_mut() = Some(self.body.clone().into());
        let timeouts = AttemptTimeouts::until(self.deadline, self.attempts >= MAX_ATTEMPTS);
        let mut sink = self
            .sink
            .as_mut()
            .map(|sink| &mut **sink as &mut dyn TextSink);
        if let Some(sink) = &mut sink {
            sink.start_attempt();
        }
        instrument(send(http, request, timeouts, sink)).await
    }

    fn reply(&self, model: &ModelEndpoint, finished: FinishedReply) -> Reply {
        let mut usage = finished.usage;
        usage.attempts = self.attempts;
        usage.latency = self.started.elapsed();
        Reply {
            text: finished.text,
            model: model.name.clone(),
            version: finished.version,
            response_id: finished.response_id,
            finish_reason: finished.finish_reason,
            usage,
        }
    }

    fn is_committed(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.is_committed())
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
