use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::time::sleep;

use super::frames;

/// One reply of the script.
pub struct Scripted {
    status: StatusCode,
    headers: Vec<(String, String)>,
    begins: Begins,
    body: Content,
    end: End,
    line_end: &'static str,
}

enum Begins {
    After(Duration),
    Never,
}

enum Content {
    /// Events of a stream, or the one answer of a whole reply.
    Frames(Vec<Value>),
    /// These bytes, each piece in a packet of its own.
    Raw {
        content_type: &'static str,
        pieces: Vec<Bytes>,
    },
}

enum End {
    Proper,
    /// Nothing more comes, and the connection stays.
    Hang,
    /// The connection breaks.
    Cut,
}

impl Scripted {
    /// An answer in one piece.
    pub fn reply(text: &str) -> Self {
        Self::frames([frames::last(text, "STOP")])
    }

    /// An answer in these pieces; one that is not streamed has just one.
    pub fn frames(frames: impl IntoIterator<Item = Value>) -> Self {
        Self::of(
            StatusCode::OK,
            Content::Frames(frames.into_iter().collect()),
        )
    }

    /// An error.
    pub fn error(status: StatusCode, body: Value) -> Self {
        Self::raw(
            status,
            "application/json; charset=UTF-8",
            [body.to_string()],
        )
    }

    /// Any bytes, each piece in a packet of its own.
    pub fn raw<T: Into<Bytes>>(
        status: StatusCode,
        content_type: &'static str,
        pieces: impl IntoIterator<Item = T>,
    ) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Self::of(
            status,
            Content::Raw {
                content_type,
                pieces,
            },
        )
    }

    /// A reply that never begins.
    pub fn silence() -> Self {
        Self {
            begins: Begins::Never,
            ..Self::reply("")
        }
    }

    /// Begins only after a while.
    pub fn after(self, delay: Duration) -> Self {
        Self {
            begins: Begins::After(delay),
            ..self
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// After what there is, nothing more comes.
    pub fn then_hang(self) -> Self {
        Self {
            end: End::Hang,
            ..self
        }
    }

    /// After what there is, the connection breaks.
    pub fn then_cut(self) -> Self {
        Self {
            end: End::Cut,
            ..self
        }
    }

    /// Lines of a stream end so; Google's end with CR LF.
    pub fn with_line_end(self, line_end: &'static str) -> Self {
        Self { line_end, ..self }
    }

    fn of(status: StatusCode, body: Content) -> Self {
        Self {
            status,
            headers: Vec::new(),
            begins: Begins::After(Duration::ZERO),
            body,
            end: End::Proper,
            line_end: "\r\n",
        }
    }

    pub(super) async fn respond(self, streamed: bool) -> Response {
        match self.begins {
            Begins::After(delay) => sleep(delay).await,
            Begins::Never => std::future::pending().await,
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
            // So that the one before goes out by itself.
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
