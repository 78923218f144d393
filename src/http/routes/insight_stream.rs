use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;

use crate::http::middleware::RequestId;
use crate::http::problem::{ApiError, problem_json};
use crate::insights::DeltaSink;
use crate::telemetry::{PropagateRequestContext as _, error_chain};

/// Pieces of text that wait for a client that reads slowly; then the answer
/// waits.
const CHANNEL_CAPACITY: usize = 16;

/// Between two signs of life; proxies close what is silent for a minute.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// An answer as server-sent events: its text as it comes, then the whole of it,
/// or the problem that it ended in.
///
/// Whoever makes the answer stops when the client goes.
pub fn events<T, Answer>(
    answer: impl FnOnce(DeltaSink) -> Answer,
    request_id: RequestId,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>>
where
    T: Serialize + Send + 'static,
    Answer: Future<Output = T> + Send + 'static,
{
    let (sender, deltas) = channel(CHANNEL_CAPACITY);
    let mut task = JoinSet::new();
    task.spawn(answer(DeltaSink::new(sender)).propagate_request_context());
    let events = InsightEventStream {
        deltas,
        task,
        request_id,
    };
    let stream = unfold(events, |mut events| async move {
        let event = events.next().await?;
        Some((Ok(event), events))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_INTERVAL))
}

/// A piece of the text.
#[derive(Serialize)]
struct Delta {
    text: String,
}

/// How far an answer has come. The task ends with it.
struct InsightEventStream<T> {
    deltas: Receiver<String>,
    task: JoinSet<T>,
    request_id: RequestId,
}

impl<T: Serialize + 'static> InsightEventStream<T> {
    async fn next(&mut self) -> Option<Event> {
        if let Some(text) = self.deltas.recv().await {
            return Some(self.event("delta", &Delta { text }));
        }
        Some(match self.task.join_next().await? {
            Ok(answer) => self.event("insight", &answer),
            Err(error) if error.is_panic() => self.failed(ApiError::Panicked),
            Err(_) => self.failed(ApiError::Internal("answering was cancelled")),
        })
    }

    fn event(&self, name: &str, content: &impl Serialize) -> Event {
        match serde_json::to_string(content) {
            Ok(json) => Event::default().event(name).data(json),
            Err(error) => self.failed(ApiError::Serialization(error)),
        }
    }

    fn failed(&self, error: ApiError) -> Event {
        let request_id = self.request_id.as_str();
        let cause = error_chain(&error);
        tracing::error!(request_id, cause, "request failed");
        let json = String::from_utf8_lossy(&problem_json(&error, request_id)).into_owned();
        Event::default().event("error").data(json)
    }
}
