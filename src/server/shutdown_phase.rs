use tokio::sync::watch::Receiver;

/// How far a stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownPhase {
    /// There is none.
    Running,
    /// Clients are told to go elsewhere, by closing each connection after its
    /// next answer.
    Quiescing,
    /// No more connections are accepted, and those without a request are closed.
    Draining,
    /// What is left is cut off.
    Terminated,
}

/// Waits for `wanted` or a later phase. Whoever sets phases must outlive those
/// who wait.
pub async fn wait_for(phase: &mut Receiver<ShutdownPhase>, wanted: ShutdownPhase) {
    if phase.wait_for(|phase| *phase >= wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}
