use tokio::sync::watch::Receiver;

/// Phase of a graceful shutdown, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownPhase {
    /// No shutdown has started.
    Running,
    /// Requests are served, but each connection is closed after its next
    /// response, so that clients reconnect elsewhere.
    Quiescing,
    /// The listener is closed, and so are idle connections.
    Draining,
    /// Remaining requests are cut off.
    Terminated,
}

/// Waits for `wanted` or a later phase. The sender must outlive the receivers.
pub async fn wait_for(phase: &mut Receiver<ShutdownPhase>, wanted: ShutdownPhase) {
    if phase.wait_for(|phase| *phase >= wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}
