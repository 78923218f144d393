use std::ffi::OsString;
use std::net::SocketAddr;

use url::Url;

use crate::config::Environment;
use crate::config::env_reader::EnvReader;
use crate::telemetry::{LogFormat, MetricsSettings, TelemetrySettings};

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn telemetry(&mut self, environment: Environment) -> TelemetrySettings {
        TelemetrySettings {
            log_format: self.log_format(environment),
            log_filter: self.log_filter(),
            metrics: MetricsSettings {
                address: self.metrics_address(),
                emf: self.bool("METRICS_EMF"),
            },
            traces: self.traces(),
            environment: environment.as_str(),
            revision: self.revision(),
        }
    }

    fn log_format(&mut self, environment: Environment) -> LogFormat {
        match self.text("LOG_FORMAT").as_deref() {
            Some("json") => return LogFormat::Json,
            Some("text") => return LogFormat::Text,
            Some(_) => self.error("LOG_FORMAT", "must be json or text"),
            None => {}
        }
        match environment {
            Environment::Development => LogFormat::Text,
            Environment::Production => LogFormat::Json,
        }
    }

    fn metrics_address(&mut self) -> Option<SocketAddr> {
        let address = self.text("METRICS_ADDR")?.parse().ok();
        if address.is_none() {
            self.error(
                "METRICS_ADDR",
                "must be an IP address and a port such as 0.0.0.0:9090",
            );
        }
        address
    }

    fn traces(&mut self) -> Option<Url> {
        const NAME: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let text = self.text(NAME)?;
        if !cfg!(feature = "otlp") {
            self.error(
                NAME,
                "must not be set: this binary was built without the feature otlp",
            );
            return None;
        }
        let url = Url::parse(&text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
        });
        if url.is_none() {
            self.error(
                NAME,
                "must be a URL such as http://localhost:4318, without user or query",
            );
        }
        url
    }

    fn revision(&mut self) -> Option<String> {
        let revision = self.text("CLARITY_REVISION")?;
        let is_name = revision.len() <= 64
            && revision
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_name {
            self.error(
                "CLARITY_REVISION",
                "must be the revision that was built: up to 64 of A-Z a-z 0-9 . _ -",
            );
        }
        Some(revision)
    }

    fn bool(&mut self, variable: &'static str) -> bool {
        match self.text(variable).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.error(variable, "must be true or false");
                false
            }
        }
    }
}
