use std::ffi::OsString;

use crate::config::env_reader::EnvReader;
use crate::config::settings;
use crate::server::ConnectionLimits;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn connections(&mut self) -> ConnectionLimits {
        let max_open = self.number(&settings::MAX_CONNECTIONS);
        ConnectionLimits {
            max_open: usize::try_from(max_open).unwrap_or(usize::MAX),
            idle_timeout: self.seconds(&settings::IDLE_TIMEOUT),
            write_timeout: self.seconds(&settings::WRITE_TIMEOUT),
        }
    }
}
