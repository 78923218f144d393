use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch::Receiver;
use tower::Service as _;

use super::activity::Activity;
use super::client_stream::ClientStream;
use super::connection_error::ConnectionErrors;
use super::connection_limits::ConnectionLimits;
use super::read_deadline::ReadDeadline;
use super::shutdown_phase::{ShutdownPhase, wait_for};

/// Buffer size per connection, and thus the maximum size of request headers: above what
/// browsers and tokens need, and small enough for thousands of connections.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// Time that a connection without any request stays open while draining: its
/// first request may be in flight.
const DRAIN_IDLE_GRACE: Duration = Duration::from_secs(1);

/// State of the listener that its connections follow.
#[derive(Clone)]
pub struct ListenerState {
    /// Phase of the shutdown.
    pub phase: Receiver<ShutdownPhase>,
    /// True while all connections are taken.
    pub is_crowded: Receiver<bool>,
}

/// Serves the requests of one connection until it ends.
///
/// Errors are dropped: the client broke the protocol, disconnected or was too
/// slow, so there is no one to report to.
pub async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    errors: Option<ConnectionErrors>,
    limits: ConnectionLimits,
    listener: ListenerState,
) {
    // Only affects latency, so a failure is ignored.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::default());
    let mut deadline = ReadDeadline::new(Arc::clone(&activity), limits.idle_timeout);
    let stream = ClientStream::new(stream, Arc::clone(&activity), limits.write_timeout, errors);

    let ListenerState {
        mut phase,
        is_crowded,
    } = listener;
    let current = phase.clone();
    let service = service_fn(|mut request: Request<Incoming>| {
        let open = activity.open_request();
        request.extensions_mut().insert(ConnectInfo(client));
        // `Router::poll_ready` always returns ready.
        let response = router.clone().call(request.map(Body::new));
        let current = &current;
        async move {
            let mut response = response.await?;
            if *current.borrow() >= ShutdownPhase::Quiescing {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response.map(|body| open.until_end_of(body)))
        }
    });

    let connection = http1::Builder::new()
        // `ReadDeadline` does it.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // A request that has arrived counts.
        biased;
        () = deadline.run(connection.as_mut()) => return,
        () = ReadDeadline::crowded_out(&activity, is_crowded) => return,
        () = wait_for(&mut phase, ShutdownPhase::Draining) => {}
    }
    // Closes an idle connection at once, others after their response.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        () = deadline.run(connection.as_mut()) => return,
        () = tokio::time::sleep(DRAIN_IDLE_GRACE) => {}
    }
    if activity.requests() > 0 {
        deadline.run(connection).await;
    }
}
