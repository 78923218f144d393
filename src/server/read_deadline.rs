use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::Activity;

/// Maximum time to receive a request header completely, from the start of the
/// connection or from the header's first byte. Headers are at most 16 KiB, which
/// even a slow mobile connection sends in a few seconds.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum time to receive the first header of a connection while all connections
/// are taken. Far above round trip times, and short enough for health checks not to
/// be delayed by connections that stay silent.
const CROWDED_HEADER_TIMEOUT: Duration = Duration::from_secs(1);

/// Deadline of a connection for what its client has to send next.
///
/// hyper's `header_read_timeout` is one duration for idle time and header together.
pub struct ReadDeadline {
    activity: Arc<Activity>,
    idle_timeout: Duration,
    awaited: Awaited,
    /// Request after which something is awaited.
    request: u64,
    since: Instant,
    /// May be set to an earlier time than the deadline, as setting it for each
    /// request would be costly.
    timer: Pin<Box<Sleep>>,
}

/// Event that ends a deadline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The first header of the connection.
    FirstHeader,
    /// The rest of a later header.
    RestOfHeader,
    /// The next request of an idle connection.
    NextRequest,
    /// The service itself.
    Response,
}

impl ReadDeadline {
    /// Creates the deadline of a connection that was just accepted.
    pub fn new(activity: Arc<Activity>, idle_timeout: Duration) -> Self {
        let since = Instant::now();
        let timeout = HEADER_TIMEOUT.min(idle_timeout);
        Self {
            activity,
            idle_timeout,
            awaited: Awaited::FirstHeader,
            request: 0,
            since,
            timer: Box::pin(sleep_until(since + timeout)),
        }
    }

    /// Polls `connection` until it ends, or until the client has exceeded the
    /// deadline.
    pub async fn run(&mut self, mut connection: Pin<&mut impl Future>) {
        poll_fn(|context| {
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let Some(deadline) = self.deadline() else {
                return Poll::Pending;
            };
            if deadline < self.timer.deadline() {
                self.timer.as_mut().reset(deadline);
            }
            while self.timer.as_mut().poll(context).is_ready() {
                if deadline <= Instant::now() {
                    self.activity.set_overdue();
                    // Reads once more, and so learns that it is overdue.
                    let _ = connection.as_mut().poll(context);
                    return Poll::Ready(());
                }
                self.timer.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await;
    }

    /// Completes when the connection has to give up its place for another, because
    /// `is_crowded` and its client has not sent a request in time.
    pub async fn crowded_out(activity: &Activity, mut is_crowded: Receiver<bool>) {
        let earliest = Instant::now() + CROWDED_HEADER_TIMEOUT;
        loop {
            let is_open = is_crowded.wait_for(|is_crowded| *is_crowded).await.is_ok();
            if !is_open {
                std::future::pending::<()>().await;
            }
            sleep_until(earliest).await;
            if activity.requests() > 0 {
                std::future::pending::<()>().await;
            }
            if *is_crowded.borrow() {
                return;
            }
        }
    }

    fn deadline(&mut self) -> Option<Instant> {
        let request = self.activity.requests();
        let awaited = if self.activity.is_serving() {
            Awaited::Response
        } else if request == 0 {
            Awaited::FirstHeader
        } else if self.activity.has_head_begun() {
            Awaited::RestOfHeader
        } else {
            Awaited::NextRequest
        };
        if (awaited, request) != (self.awaited, self.request) {
            (self.awaited, self.request) = (awaited, request);
            self.since = Instant::now();
        }
        let timeout = match awaited {
            Awaited::FirstHeader => HEADER_TIMEOUT.min(self.idle_timeout),
            Awaited::RestOfHeader => HEADER_TIMEOUT,
            Awaited::NextRequest => self.idle_timeout,
            Awaited::Response => return None,
        };
        Some(self.since + timeout)
    }
}
