use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// State of a connection, shared by its stream, its service and its deadlines.
///
/// All of them run in the connection's task, so the atomics are never contended.
#[derive(Default)]
pub struct Activity {
    requests: AtomicU64,
    is_request_open: AtomicBool,
    has_head_begun: AtomicBool,
    is_write_blocked: AtomicBool,
    is_overdue: AtomicBool,
}

impl Activity {
    /// Returns the number of request heads that have been received completely.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Returns whether the service, and not the client, has to act next.
    pub fn is_serving(&self) -> bool {
        self.is_request_open.load(Ordering::Relaxed)
            || self.is_write_blocked.load(Ordering::Relaxed)
    }

    /// Returns whether part of a request head has been received.
    pub fn has_head_begun(&self) -> bool {
        self.has_head_begun.load(Ordering::Relaxed)
    }

    /// Records that data has been received.
    pub fn on_received(&self) {
        if !self.is_request_open.load(Ordering::Relaxed) {
            self.has_head_begun.store(true, Ordering::Relaxed);
        }
    }

    /// Records whether a write waits for the client.
    pub fn set_write_blocked(&self, is_blocked: bool) {
        self.is_write_blocked.store(is_blocked, Ordering::Relaxed);
    }

    /// Ends the connection at its next read.
    pub fn set_overdue(&self) {
        self.is_overdue.store(true, Ordering::Relaxed);
    }

    /// Returns whether the connection is to end at this read.
    pub fn is_overdue(&self) -> bool {
        self.is_overdue.load(Ordering::Relaxed)
    }

    /// Records a received request head.
    pub fn open_request(self: &Arc<Self>) -> OpenRequest {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.has_head_begun.store(false, Ordering::Relaxed);
        self.is_request_open.store(true, Ordering::Relaxed);
        OpenRequest(Arc::clone(self))
    }
}

/// Request that is open until this is dropped.
pub struct OpenRequest(Arc<Activity>);

impl OpenRequest {
    /// Keeps the request open until its response body has been passed on.
    pub fn until_end_of(self, body: Body) -> TrackedBody {
        TrackedBody {
            body,
            _request: self,
        }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.is_request_open.store(false, Ordering::Relaxed);
    }
}

/// Response body of an open request.
pub struct TrackedBody {
    body: Body,
    _request: OpenRequest,
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
