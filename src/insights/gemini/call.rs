//! A question on its way, and the models that it may go to.

use std::time::Duration;

use reqwest::{Method, Request};
use tokio::time::Instant;
use url::Url;

use super::circuit_breaker::CircuitBreaker;
use super::exchange::exchange;
use super::failure::GeminiError;
use super::measured::measured;
use super::patience::Patience;
use super::prompt::Prompt;
use super::reply::{Reply, TextSink};
use super::settings::{GeminiSettings, GeminiSetupError, PathSegment};
use super::transcript::Finished;
use super::wire::request_body;

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
