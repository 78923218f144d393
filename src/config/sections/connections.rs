use std::ffi::OsString;
use std::time::Duration;

use crate::config::env_reader::EnvReader;

/// What connections may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionConfig {
    /// How many may be open.
    pub most: usize,
    /// How long one may be silent between requests, or take for a header.
    pub idle: Duration,
    /// How long a client may take nothing of its answer.
    pub stall: Duration,
}

/// With as much as each may have of a header, 32 KiB, these take two fifths of
/// the 512 MB of a task.
const DEFAULT_MAX_OPEN: usize = 4_500;

/// As many as the system has ports for one client.
const MAX_MAX_OPEN: usize = 65_535;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn connections(&mut self) -> ConnectionConfig {
        ConnectionConfig {
            most: self.most_connections(),
            // Longer than a load balancer keeps one, a minute at AWS: else it
            // would send a request to a connection that is being closed.
            idle: self.seconds("IDLE_TIMEOUT", 75, 1..=3_600),
            stall: self.seconds("WRITE_TIMEOUT", 30, 1..=600),
        }
    }

    fn most_connections(&mut self) -> usize {
        const NAME: &str = "MAX_CONNECTIONS";
        let Some(text) = self.text(NAME) else {
            return DEFAULT_MAX_OPEN;
        };
        let most = text
            .parse()
            .ok()
            .filter(|most| (1..=MAX_MAX_OPEN).contains(most));
        most.unwrap_or_else(|| {
            self.error(NAME, format!("must be a number from 1 to {MAX_MAX_OPEN}"));
            DEFAULT_MAX_OPEN
        })
    }
}
