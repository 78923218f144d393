//! HTTP/1.1 connections, with limits on their number, header size, header time, idle
//! time, and the time and rate of sending a response.
//! Load balancers speak HTTP/1.1 to their targets, so there is no HTTP/2.
//!
//! [`serve`] accepts connections, `connection` serves each, and both follow the
//! [`ShutdownPhase`]. hyper parses and writes messages; `read_deadline`, `write_pace`
//! and `connection_error` do what it has no option for, around its future
//! (`read_deadline`) and below it in `client_stream`, and share their state in
//! `activity`.

mod activity;
mod client_stream;
mod connection;
mod connection_error;
mod connection_limits;
mod metrics;
mod read_deadline;
mod shutdown_phase;
mod write_pace;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::watch::{self, Receiver};
use tokio::task::JoinSet;

use self::connection::ListenerState;
pub use self::connection_error::ConnectionErrors;
pub use self::connection_limits::ConnectionLimits;
pub use self::metrics::metrics_router;
pub use self::shutdown_phase::ShutdownPhase;
use self::shutdown_phase::wait_for;
use crate::telemetry::metrics::names;

/// Delay before accepting again after resources such as file descriptors ran out.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Send and receive buffer of each connection. Linux doubles them for its own overhead,
/// and would otherwise let them grow to several MiB, which counts against the memory of
/// a container and hides how slowly a client reads. A load balancer is a millisecond
/// away, and even at a round trip of 100 ms this allows a megabyte a second.
const KERNEL_BUFFER_BYTES: usize = 64 * 1024;

/// Serves `listener` until [`ShutdownPhase::Draining`], then drains requests in
/// flight until [`ShutdownPhase::Terminated`]. Dropping the future closes all
/// connections. `errors` are the responses to requests that cannot be parsed; without
/// it, they have no body.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    errors: Option<ConnectionErrors>,
    limits: ConnectionLimits,
    mut phase: Receiver<ShutdownPhase>,
) {
    // Accepted connections inherit them.
    let socket = SockRef::from(&listener);
    let limited = socket
        .set_send_buffer_size(KERNEL_BUFFER_BYTES)
        .and_then(|()| socket.set_recv_buffer_size(KERNEL_BUFFER_BYTES));
    if let Err(error) = limited {
        tracing::warn!(%error, "cannot limit the kernel's buffers of connections");
    }
    let mut connections = JoinSet::new();
    let mut phase_of_accepting = phase.clone();
    tokio::select! {
        never = accept(&listener, &router, errors, limits, &phase, &mut connections) => match never {},
        () = wait_for(&mut phase_of_accepting, ShutdownPhase::Draining) => {}
    }
    drop(listener);
    tokio::select! {
        () = async { while connections.join_next().await.is_some() {} } => {}
        () = wait_for(&mut phase, ShutdownPhase::Terminated) => {
            tracing::warn!(connections = connections.len(), "stopped with requests in flight");
            connections.shutdown().await;
        }
    }
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    errors: Option<ConnectionErrors>,
    limits: ConnectionLimits,
    phase: &Receiver<ShutdownPhase>,
    connections: &mut JoinSet<()>,
) -> std::convert::Infallible {
    let permits = Arc::new(Semaphore::new(limits.max_open));
    let (crowded, is_crowded) = watch::channel(false);
    let state = ListenerState {
        phase: phase.clone(),
        is_crowded,
    };
    loop {
        let permit = match Arc::clone(&permits).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                crowded.send_replace(true);
                // The semaphore is never closed, so this always yields a permit.
                let permit = Arc::clone(&permits).acquire_owned().await.ok();
                crowded.send_replace(false);
                permit
            }
        };
        let (stream, client) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !is_connection_error(&error) {
                    tracing::error!(%error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
                continue;
            }
        };
        let (router, errors, state) = (router.clone(), errors.clone(), state.clone());
        connections.spawn(async move {
            let _open = ConnectionGuard::new();
            connection::serve_connection(stream, client, router, errors, limits, state).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Counts an open connection until it is dropped.
struct ConnectionGuard;

impl ConnectionGuard {
    fn new() -> Self {
        ::metrics::gauge!(names::CONNECTIONS_OPEN.name).increment(1);
        Self
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        ::metrics::gauge!(names::CONNECTIONS_OPEN.name).decrement(1);
    }
}

/// Returns whether the error concerns only the connection being accepted.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
