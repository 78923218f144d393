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

/// Deltas buffered for a slow client before answering pauses.
const CHANNEL_CAPACITY: usize = 16;

/// Interval of keep-alive comments; proxies close connections that are silent for
/// a minute.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// Streams an answer as server-sent events: its text in deltas, then the whole
/// answer or a problem document.
///
/// The task that answers is aborted when the client disconnects.
pub fn event_stream<T, Answer>(
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

/// Piece of the answer's text.
#[derive(Serialize)]
struct Delta {
    text: String,
}

/// Answer in progress. Dropping it aborts the task.
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
