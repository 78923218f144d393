use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// What is handed on at once, in bytes: the connection then holds no more than
/// this of a large answer, and asks for the next part when that is sent.
const PART: usize = 64 * 1024;

/// A body that keeps something until it is sent but for its last part, or given
/// up.
pub struct Guarded<G> {
    body: Body,
    /// What the body has given that is still to be handed on.
    rest: Bytes,
    guard: Option<G>,
}

impl<G> Guarded<G> {
    /// Keeps `guard` as long as `body`.
    pub fn new(body: Body, guard: G) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            guard: Some(guard),
        }
    }
}

impl<G: Unpin> http_body::Body for Guarded<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => {
                    self.guard = None;
                    return Poll::Ready(end);
                }
            }
        }
        let size = self.rest.len().min(PART);
        let part = self.rest.split_to(size);
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(body.lower() + rest);
        hint
    }
}
