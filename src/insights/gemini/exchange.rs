//! One attempt: a request, and its response.

use eventsource_stream::{EventStreamError, Eventsource};
use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Request, Response};

use super::failure::{GeminiError, GeminiErrorKind};
use super::patience::Patience;
use super::reasons::TimeoutKind;
use super::refusal;
use super::reply::TextSink;
use super::transcript::{Finished, Transcript};

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
        return Err(refusal::of_response(status, &headers, &body));
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
