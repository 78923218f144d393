use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Request};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use super::attempt::{Patience, exchange, measured};
use super::circuit_breaker::{CircuitBreaker, Permit};
use super::error::{GeminiError, GeminiErrorKind, TimeoutKind};
use super::response::{Finished, Reply, TextSink};
use super::settings::{GeminiSettings, GeminiSetupError, PathSegment, Timing};
use super::wire::{Prompt, request_body};

/// How many calls may be under way at once, so that questions never take what
/// the other routes need.
const CALLS: usize = 16;

const KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Asks Gemini. Clones share connections, circuits and the places for calls.
#[derive(Clone)]
pub struct GeminiClient {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    model: Model,
    fallback: Option<Model>,
    places: Semaphore,
    timing: Timing,
}

impl GeminiClient {
    /// A client that sends nothing yet.
    ///
    /// # Errors
    ///
    /// When the settings do not make requests that could be sent.
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
        let model = |name: &PathSegment| Model::new(name, &settings);
        Ok(Self {
            shared: Arc::new(Shared {
                http,
                model: model(&settings.model)?,
                fallback: settings.fallback_model.as_ref().map(model).transpose()?,
                places: Semaphore::new(CALLS),
                timing: settings.timing,
            }),
        })
    }

    /// Asks and waits for the whole answer, until `deadline` at the longest.
    /// Dropping the future ends the call.
    ///
    /// # Errors
    ///
    /// When there is no answer after all attempts that were worth it.
    pub async fn generate(&self, prompt: &Prompt, deadline: Instant) -> Result<Reply, GeminiError> {
        self.shared.answer(prompt, deadline, None).await
    }

    /// Like [`generate`](Self::generate), and what comes of the answer goes to
    /// the sink at once.
    ///
    /// # Errors
    ///
    /// When there is no answer after all attempts that were worth it, of which
    /// there are no more once the sink is committed.
    pub async fn stream(
        &self,
        prompt: &Prompt,
        deadline: Instant,
        sink: &mut dyn TextSink,
    ) -> Result<Reply, GeminiError> {
        self.shared.answer(prompt, deadline, Some(sink)).await
    }
}

impl Shared {
    async fn answer(
        &self,
        prompt: &Prompt,
        deadline: Instant,
        sink: Option<&mut dyn TextSink>,
    ) -> Result<Reply, GeminiError> {
        let began = Instant::now();
        let patient_until = deadline.min(began + self.timing.queue);
        let Ok(Ok(_place)) = timeout_at(patient_until, self.places.acquire()).await else {
            return Err(GeminiErrorKind::Busy.into());
        };
        let mut call = Call::new(prompt, sink, began, deadline);
        let outcome = self.ask_models(&mut call).await;
        outcome.map_err(|mut failure| {
            failure.attempts = call.attempts();
            failure
        })
    }

    /// Asks the model, and the other one in what that leaves.
    async fn ask_models(&self, call: &mut Call<'_>) -> Result<Reply, GeminiError> {
        let Some(fallback) = &self.fallback else {
            return self.ask(&self.model, ATTEMPTS, call).await;
        };
        let outcome = self.ask(&self.model, ATTEMPTS - 1, call).await;
        let Err(failure) = outcome else {
            return outcome;
        };
        if !failure.kind.another_model_may_answer() || call.is_committed() {
            return Err(failure);
        }
        let before = call.attempts();
        match self.ask(fallback, ATTEMPTS, call).await {
            // It was not asked, so the first one's failure says more.
            Err(_) if call.attempts() == before => Err(failure),
            outcome => outcome,
        }
    }

    /// Asks one model until it answers, `most` attempts of the call are used
    /// up, or another one would not help or not fit.
    async fn ask(
        &self,
        model: &Model,
        most: u32,
        call: &mut Call<'_>,
    ) -> Result<Reply, GeminiError> {
        let mut backoff = ExponentialBuilder::default()
            .with_min_delay(self.timing.backoff)
            .with_jitter()
            .build();
        let mut last = None;
        loop {
            if call.time_left() < self.timing.min_attempt {
                let late = GeminiErrorKind::Timeout(TimeoutKind::Deadline);
                return Err(last.unwrap_or_else(|| late.into()));
            }
            let Some(permit) = model.circuit.admit() else {
                return Err(last.unwrap_or_else(|| GeminiErrorKind::CircuitOpen.into()));
            };
            let failure = match call.attempt(&self.http, model).await {
                Ok(finished) => {
                    permit.well();
                    return Ok(call.reply(model, finished));
                }
                Err(failure) => failure,
            };
            report(&failure, model, call.attempts());
            settle(permit, &failure, model);
            if !failure.kind.may_pass() || call.is_committed() || call.attempts() >= most {
                return Err(failure);
            }
            let wait = backoff.next().max(failure.asked_wait).unwrap_or_default();
            // Rather than wait for long, ask the other model if there is one.
            let latest = if most < ATTEMPTS {
                call.time_left() / 2
            } else {
                call.time_left().saturating_sub(self.timing.min_attempt)
            };
            if wait > latest {
                return Err(failure);
            }
            sleep(wait).await;
            last = Some(failure);
        }
    }
}

/// Tells the circuit what a failure says about the model.
fn settle(permit: Permit<'_>, failure: &GeminiError, model: &Model) {
    match failure.kind.model_is_well() {
        Some(true) => permit.well(),
        Some(false) => {
            if permit.unwell() {
                tracing::warn!(
                    event = "gemini_circuit_opened",
                    model = model.name,
                    "left a model alone that is not well"
                );
            }
        }
        None => drop(permit),
    }
}

fn report(failure: &GeminiError, model: &Model, attempt: u32) {
    tracing::warn!(
        event = "gemini_failed",
        model = model.name,
        code = failure.kind.code(),
        status = failure.kind.status(),
        attempt,
        reason = %failure,
        cause = failure.root_cause(),
        "an attempt to ask Gemini failed"
    );
}

/// The first attempt and its repetitions, those with another model included.
pub(super) const ATTEMPTS: u32 = 3;

/// A model, and what is known of how it is.
pub(super) struct Model {
    pub(super) name: String,
    whole: Url,
    stream: Url,
    pub(super) circuit: CircuitBreaker,
}

/// A question on its way: its deadline and its attempts, whichever model is
/// asked.
pub(super) struct Call<'a> {
    body: String,
    sink: Option<&'a mut dyn TextSink>,
    began: Instant,
    deadline: Instant,
    attempts: u32,
}

impl Model {
    pub(super) fn new(
        name: &PathSegment,
        settings: &GeminiSettings,
    ) -> Result<Self, GeminiSetupError> {
        let mut stream = settings.url(name, "streamGenerateContent")?;
        stream.set_query(Some("alt=sse"));
        Ok(Self {
            name: name.to_string(),
            whole: settings.url(name, "generateContent")?,
            stream,
            circuit: CircuitBreaker::new(settings.timing.circuit_open),
        })
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(
        prompt: &Prompt,
        sink: Option<&'a mut dyn TextSink>,
        began: Instant,
        deadline: Instant,
    ) -> Self {
        Self {
            body: request_body(prompt),
            sink,
            began,
            deadline,
            attempts: 0,
        }
    }

    /// Requests sent so far.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Sends the question once.
    pub(super) async fn attempt(
        &mut self,
        http: &reqwest::Client,
        model: &Model,
    ) -> Result<Finished, GeminiError> {
        self.attempts += 1;
        let url = match self.sink {
            Some(_) => &model.stream,
            None => &model.whole,
        };
        let mut request = Request::new(Method::POST, url.clone());
        *request.body_mut() = Some(self.body.clone().into());
        let patience = Patience::until(self.deadline, self.attempts >= ATTEMPTS);
        let mut sink = self
            .sink
            .as_mut()
            .map(|sink| &mut **sink as &mut dyn TextSink);
        if let Some(sink) = &mut sink {
            sink.start_attempt();
        }
        measured(exchange(http, request, patience, sink)).await
    }

    pub(super) fn reply(&self, model: &Model, finished: Finished) -> Reply {
        let mut usage = finished.usage;
        usage.attempts = self.attempts;
        usage.latency = self.began.elapsed();
        Reply {
            text: finished.text,
            model: model.name.clone(),
            version: finished.version,
            response_id: finished.response_id,
            finish_reason: finished.finish_reason,
            usage,
        }
    }

    pub(super) fn is_committed(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.is_committed())
    }

    pub(super) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
