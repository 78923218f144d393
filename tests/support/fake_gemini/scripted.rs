use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::time::sleep;

use super::frames;

/// Scripted reply.
pub struct Scripted {
    status: StatusCode,
    headers: Vec<(String, String)>,
    start: Start,
    body: Content,
    end: End,
    line_end: &'static str,
}

enum Start {
    After(Duration),
    Never,
}

enum Content {
    /// Events of a stream, or the body of a whole response.
    Frames(Vec<Value>),
    /// Bytes, each piece in its own packet.
    Raw {
        content_type: &'static str,
        pieces: Vec<Bytes>,
    },
}

enum End {
    Proper,
    /// The connection stays open without further data.
    Hang,
    /// The connection breaks.
    Cut,
}

impl Scripted {
    /// Returns a complete reply in one piece.
    pub fn reply(text: &str) -> Self {
        Self::frames([frames::last(text, "STOP")])
    }

    /// Returns a reply of these frames; a whole response has only one.
    pub fn frames(frames: impl IntoIterator<Item = Value>) -> Self {
        Self::new(
            StatusCode::OK,
            Content::Frames(frames.into_iter().collect()),
        )
    }

    /// Returns an error response.
    pub fn error(status: StatusCode, body: Value) -> Self {
        Self::raw(
            status,
            "application/json; charset=UTF-8",
            [body.to_string()],
        )
    }

    /// Returns arbitrary bytes, each piece in its own packet.
    pub fn raw<T: Into<Bytes>>(
        status: StatusCode,
        content_type: &'static str,
        pieces: impl IntoIterator<Item = T>,
    ) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Self::new(
            status,
            Content::Raw {
                content_type,
                pieces,
            },
        )
    }

    /// Returns a response that never starts.
    pub fn silence() -> Self {
        Self {
            start: Start::Never,
            ..Self::reply("")
        }
    }

    /// Delays the start of the response.
    pub fn after(self, delay: Duration) -> Self {
        Self {
            start: Start::After(delay),
            ..self
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps the connection open after the last piece.
    pub fn then_hang(self) -> Self {
        Self {
            end: End::Hang,
            ..self
        }
    }

    /// Breaks the connection after the last piece.
    pub fn then_cut(self) -> Self {
        Self {
            end: End::Cut,
            ..self
        }
    }

    /// Sets the line end of a stream; Google's is CR LF.
    pub fn with_line_end(self, line_end: &'static str) -> Self {
        Self { line_end, ..self }
    }

    fn new(status: StatusCode, body: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            start: Start::After(Duration::ZERO),
            body,
            end: End::Proper,
            line_end: "\r\n",
        }
    }

    pub(super) async fn respond(self, streamed: bool) -> Response {
        match self.start {
            Start::After(delay) => sleep(delay).await,
            Start::Never => std::future::pending().await,
        }
        let (content_type, pieces) = match self.body {
            Content::Raw {
                content_type,
                pieces,
            } => (content_type, pieces),
            Content::Frames(frames) if streamed => {
                let line_end = self.line_end;
                let event = |frame| format!("data: {frame}{line_end}{line_end}").into();
                ("text/event-stream", frames.iter().map(event).collect())
            }
            Content::Frames(frames) => (
                "application/json; charset=UTF-8",
                frames
                    .iter()
                    .map(|frame| frame.to_string().into())
                    .collect(),
            ),
        };
        let mut response = Response::builder()
            .status(self.status)
            .header("content-type", content_type);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let pieces = stream::iter(pieces).then(|piece| async {
            // Lets the previous piece go out in its own packet.
            sleep(Duration::from_millis(2)).await;
            Ok(piece)
        });
        let end = match self.end {
            End::Proper => stream::empty().boxed(),
            End::Hang => stream::pending().boxed(),
            End::Cut => stream::once(async {
                sleep(Duration::from_millis(2)).await;
                Err(io::Error::other("cut"))
            })
            .boxed(),
        };
        response.body(Body::from_stream(pieces.chain(end))).unwrap()
    }
}
