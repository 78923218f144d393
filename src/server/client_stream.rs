use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;
use super::connection_error::{ConnectionErrors, bare_error};
use super::write_pace::WritePace;

/// TCP stream of a connection, between the socket and hyper.
///
/// It cuts off clients that take a response too slowly, ends a connection whose
/// header is overdue, and replaces the errors that hyper sends without calling the
/// service, for which hyper has no hook.
pub struct ClientStream {
    stream: TcpStream,
    activity: Arc<Activity>,
    pace: WritePace,
    errors: Option<ConnectionErrors>,
    /// Rest of a response that replaces one of hyper.
    replacement: Vec<u8>,
    has_rejected: bool,
}

impl ClientStream {
    /// Wraps a stream. Without `errors`, those of hyper are sent.
    pub fn new(
        stream: TcpStream,
        activity: Arc<Activity>,
        write_timeout: Duration,
        errors: Option<ConnectionErrors>,
    ) -> Self {
        Self {
            stream,
            activity,
            pace: WritePace::new(write_timeout),
            errors,
            replacement: Vec::new(),
            has_rejected: false,
        }
    }

    /// Writes, and measures the pace.
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut sent = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        if sent.is_pending() {
            sent = self.pace.poll_blocked(context, || {
                SockRef::from(&self.stream).send_vectored(buffers)
            });
        }
        if let Poll::Ready(Ok(bytes)) = &sent
            && let Err(error) = self.pace.on_written(*bytes)
        {
            sent = Poll::Ready(Err(error));
        }
        self.activity.set_write_blocked(self.pace.is_blocked());
        if let Poll::Ready(Err(error)) = &sent
            && error.kind() == io::ErrorKind::TimedOut
        {
            // Else the kernel would hold the buffered data for minutes, and the client
            // could mistake the end of the connection for that of the response.
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
        sent
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.activity.is_overdue() {
            if this.activity.has_head_begun()
                && let Some(errors) = &this.errors
            {
                // Nothing else is being sent, so there is room for it.
                let _ = this
                    .stream
                    .try_write(&errors.render(StatusCode::REQUEST_TIMEOUT));
            }
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            this.activity.on_received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.has_rejected
            && let Some(errors) = &this.errors
            && let Some(status) = bare_error(buffers)
        {
            this.replacement = errors.render(status);
            this.has_rejected = true;
        }
        if !this.has_rejected {
            return this.poll_send(context, buffers);
        }
        while !this.replacement.is_empty() {
            let mut rest = std::mem::take(&mut this.replacement);
            let sent = this.poll_send(context, &[IoSlice::new(&rest)]);
            if let Poll::Ready(Ok(bytes)) = &sent {
                rest.drain(..*bytes);
            }
            this.replacement = rest;
            ready!(sent)?;
        }
        // It has been dealt with, as far as hyper is concerned.
        Poll::Ready(Ok(buffers.iter().map(|buffer| buffer.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        if this.has_rejected {
            // Closing a socket with unread data resets the connection, and the client
            // might not see the response (RFC 9112, section 9.6).
            let mut discarded = [MaybeUninit::uninit(); DISCARD_BYTES];
            loop {
                let mut discarded = ReadBuf::uninit(&mut discarded);
                ready!(Pin::new(&mut this.stream).poll_read(context, &mut discarded))?;
                if discarded.filled().is_empty() {
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Size of the buffer for data that is not read any more.
const DISCARD_BYTES: usize = 4 * 1024;
