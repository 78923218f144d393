use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

/// Largest chunk handed to the connection, which buffers no more than this of a
/// large response and polls for the next chunk when it is sent. Compressing it takes a
/// fraction of a millisecond.
const CHUNK_BYTES: usize = 32 * 1024;

/// Response body in small chunks that yields to other requests after each.
///
/// It holds a guard, such as a memory lease, until its last chunk is handed over or it
/// is dropped.
pub struct GuardedBody<G> {
    body: Body,
    /// Received from the inner body, not handed over yet.
    buffered: Bytes,
    guard: Option<G>,
    /// The task yields before the next chunk.
    must_yield: bool,
}

impl<G> GuardedBody<G> {
    /// Wraps `body` so that it holds `guard`.
    pub fn new(body: Body, guard: G) -> Self {
        Self {
            body,
            buffered: Bytes::new(),
            guard: Some(guard),
            must_yield: false,
        }
    }
}

impl<G: Unpin> http_body::Body for GuardedBody<G> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if std::mem::take(&mut self.must_yield) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.buffered.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.buffered = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => {
                    self.guard = None;
                    return Poll::Ready(end);
                }
            }
        }
        let size = self.buffered.len().min(CHUNK_BYTES);
        let part = self.buffered.split_to(size);
        self.must_yield = true;
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.buffered.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let buffered = self.buffered.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + buffered);
        }
        hint.set_lower(body.lower() + buffered);
        hint
    }
}
