//! Connections: HTTP/1.1, which is what load balancers speak to their targets,
//! with an end to everything that a client can draw out.
//!
//! [`serve`] accepts, `connection` attends to each, and [`ShutdownPhase`] tells both how
//! far a stop has come.

mod connection;
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

pub use self::metrics::metrics_router;
pub use self::shutdown_phase::ShutdownPhase;
use self::shutdown_phase::wait_for;
use crate::telemetry::metrics::names;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// How many may be open. Further clients wait in the system's queue until
    /// one ends: to refuse them would take a connection too.
    pub max_open: usize,
    /// How long a client may take for the header of a request, and how long a
    /// connection may be kept between two requests.
    pub idle_timeout: Duration,
    /// How long a client may take nothing of its answer.
    pub write_timeout: Duration,
}

/// Before accepting again where the system has no more to give, such as file
/// descriptors.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// Serves on `listener` until `phase` is [`ShutdownPhase::Draining`] and what was in
/// flight then is answered, or `phase` is [`ShutdownPhase::Terminated`]. Whoever drops this
/// ends all connections at once.
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
        // Never closed, so there is always a permit in the end.
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

/// A connection that counts as open until it is dropped.
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

/// Whether the client is gone already, which concerns nobody else.
fn is_connection_error(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
