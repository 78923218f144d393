use std::ffi::OsString;
use std::time::Duration;

use crate::config::Environment;
use crate::config::env_reader::EnvReader;

/// How long the service goes on once it is told to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownConfig {
    /// How long it serves on, so that load balancers have time to notice that it
    /// is not ready.
    pub grace: Duration,
    /// When it is over, whatever is still in flight. The grace is shorter.
    pub deadline: Duration,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn shutdown(&mut self, environment: Environment) -> ShutdownConfig {
        // A load balancer goes on sending requests for some seconds after it is
        // told that a task is leaving.
        let default = match environment {
            Environment::Development => 0,
            Environment::Production => 5,
        };
        let grace = self.seconds("SHUTDOWN_GRACE", default, 0..=60);
        // By default before ECS kills it, which is after 30 s by default, and
        // after 120 s at most.
        let deadline = self.seconds("SHUTDOWN_DEADLINE", 25, 1..=115);
        if deadline <= grace {
            self.error("SHUTDOWN_DEADLINE", "must be longer than SHUTDOWN_GRACE");
        }
        ShutdownConfig { grace, deadline }
    }
}
