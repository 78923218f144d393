use std::ffi::OsString;

use crate::config::env_reader::EnvReader;
use crate::config::settings;
use crate::http::AllowedOrigins;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn allowed_origins(&mut self) -> AllowedOrigins {
        let Some(origins) = self.value(&settings::CORS_ALLOWED_ORIGINS) else {
            return AllowedOrigins::Only(Vec::new());
        };
        origins.parse().unwrap_or_else(|error| {
            self.error(&settings::CORS_ALLOWED_ORIGINS, format!("{error}"));
            AllowedOrigins::Only(Vec::new())
        })
    }
}
