use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch::Receiver;
use tokio_io_timeout::TimeoutWriter;
use tower::Service as _;

use super::connection_limits::ConnectionLimits;
use super::shutdown_phase::{ShutdownPhase, wait_for};

/// Buffer size per connection, and thus the maximum size of request headers: far
/// above what browsers and tokens need, and small enough for thousands of
/// connections.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Time that a connection without any request stays open while draining: its
/// first request may be in flight.
const DRAIN_IDLE_GRACE: Duration = Duration::from_secs(1);

/// Serves the requests of one connection until it ends.
///
/// Errors are dropped: the client broke the protocol, disconnected or was too
/// slow, so there is no one to report to.
pub async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    mut phase: Receiver<ShutdownPhase>,
) {
    // Only affects latency, so a failure is ignored.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.write_timeout));

    let has_received_request = AtomicBool::new(false);
    let current = phase.clone();
    let service = service_fn(|mut request: Request<Incoming>| {
        has_received_request.store(true, Ordering::Relaxed);
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
            Ok::<_, Infallible>(response)
        }
    });

    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Starts at the end of a response, so it bounds keep-alive too.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = wait_for(&mut phase, ShutdownPhase::Draining) => {}
    }
    // Closes an idle connection at once, others after their response.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(DRAIN_IDLE_GRACE) => {}
    }
    if has_received_request.load(Ordering::Relaxed) {
        let _ = connection.await;
    }
}
