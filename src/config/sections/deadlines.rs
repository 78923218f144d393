use std::ffi::OsString;
use std::time::Duration;

use crate::config::env_reader::EnvReader;

/// How long requests may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadlineConfig {
    /// Reading, storing and deleting readings.
    pub data: Duration,
    /// Batches, exports, summaries and erasures.
    pub bulk: Duration,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn deadlines(&mut self) -> DeadlineConfig {
        DeadlineConfig {
            data: self.seconds("DATA_DEADLINE", 5, 1..=55),
            bulk: self.seconds("BULK_DEADLINE", 60, 1..=600),
        }
    }
}
