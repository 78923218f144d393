use std::time::Duration;

/// Limits of the listener's connections.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// Maximum number of open connections. Further clients wait in the kernel's
    /// accept queue; to reject them would take a connection too.
    pub max_open: usize,
    /// Maximum time to keep an idle connection open.
    pub idle_timeout: Duration,
    /// Time of waiting for a client over which its rate of taking a response is
    /// measured.
    pub write_timeout: Duration,
}
