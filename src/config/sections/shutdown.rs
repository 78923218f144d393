use std::ffi::OsString;
use std::time::Duration;

use crate::config::env_reader::EnvReader;
use crate::config::settings;

/// Timing of a graceful shutdown, from the signal on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownConfig {
    /// Time during which the service keeps serving but is not ready, so that load
    /// balancers stop routing to it first.
    pub grace: Duration,
    /// Time after which the process exits, even with requests in flight. Longer
    /// than the grace period.
    pub deadline: Duration,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn shutdown(&mut self) -> ShutdownConfig {
        let grace = self.seconds(&settings::SHUTDOWN_GRACE);
        let deadline = self.seconds(&settings::SHUTDOWN_DEADLINE);
        if deadline <= grace {
            self.error(
                &settings::SHUTDOWN_DEADLINE,
                "must be longer than SHUTDOWN_GRACE",
            );
        }
        ShutdownConfig { grace, deadline }
    }
}
