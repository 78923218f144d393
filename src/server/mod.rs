//! HTTP/1.1 connections, with limits on their number, header size, idle time and write
//! stalls.
//! Load balancers speak HTTP/1.1 to their targets, so there is no HTTP/2.
//!
//! [`serve`] accepts connections, `connection` serves each, and both follow the
//! [`ShutdownPhase`].

mod connection;
mod connection_limits;
mod metrics;
mod shutdown_phase;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;

pub use self::connection_limits::ConnectionLimits;
pub use self::metrics::metrics_router;
pub use self::shutdown_phase::ShutdownPhase;
use self::shutdown_phase::wait_for;
use crate::telemetry::metrics::names;

/// Delay before accepting again after resources such as file descriptors ran out.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves `listener` until [`ShutdownPhase::Draining`], then drains requests in
/// flight until [`ShutdownPhase::Terminated`]. Dropping the future closes all
/// connections.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    mut phase: Receiver<ShutdownPhase>,
) {
    let mut connections = JoinSet::new();
    let mut phase_of_accepting = phase.clone();
    tokio::select! {
        never = accept(&listener, &router, limits, &phase, &mut connections) => match never {},
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
    limits: ConnectionLimits,
    phase: &Receiver<ShutdownPhase>,
    connections: &mut JoinSet<()>,
) -> std::convert::Infallible {
    let permits = Arc::new(Semaphore::new(limits.max_open));
    loop {
        // The semaphore is never closed, so this always yields a permit.
        let permit = Arc::clone(&permits).acquire_owned().await.ok();
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
        let (router, phase) = (router.clone(), phase.clone());
        connections.spawn(async move {
            let _open = ConnectionGuard::new();
            connection::serve_connection(stream, client, router, limits, phase).await;
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
