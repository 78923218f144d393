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

use super::ConnectionLimits;
use super::shutdown_phase::{ShutdownPhase, wait_for};

/// The largest header of a request in bytes, and what of its body is read at
/// once: far more than browsers and tokens take, and little enough for thousands
/// of connections.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// How long a connection that has brought no request yet is waited for once
/// connections are drained: its first may be on its way.
const DRAIN_IDLE_GRACE: Duration = Duration::from_secs(1);

/// Answers the requests of one connection until it ends.
///
/// It ends with an error where the client breaks the protocol, goes, or is too
/// slow; there is nobody to tell.
pub async fn serve_connection(
    stream: TcpStream,
    client: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    mut phase: Receiver<ShutdownPhase>,
) {
    // An answer goes out at once; one that cannot be is slower, no worse.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.write_timeout));

    let has_received_request = AtomicBool::new(false);
    let current = phase.clone();
    let service = service_fn(|mut request: Request<Incoming>| {
        has_received_request.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(ConnectInfo(client));
        // A router is always ready.
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
        // It runs from the end of an answer on, so it bounds keep-alive too.
        .header_read_timeout(limits.idle_timeout)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = wait_for(&mut phase, ShutdownPhase::Draining) => {}
    }
    // Closes one between requests at once, others after the answer.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(DRAIN_IDLE_GRACE) => {}
    }
    if has_received_request.load(Ordering::Relaxed) {
        let _ = connection.await;
    }
}
