use std::ffi::OsString;
use std::net::SocketAddr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use url::Url;

use crate::config::env_reader::EnvReader;
use crate::config::settings;
use crate::telemetry::{LogFormat, MetricsSettings, TelemetrySettings};

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn telemetry(&mut self) -> TelemetrySettings {
        TelemetrySettings {
            log_format: self.log_format(),
            log_filter: self.log_filter(),
            metrics: MetricsSettings {
                address: self.metrics_address(),
                emf: self.bool(&settings::METRICS_EMF),
            },
            traces: self.traces(),
            environment: self.environment().as_str(),
            revision: self.revision(),
        }
    }

    fn log_format(&mut self) -> LogFormat {
        match self.value_or_default(&settings::LOG_FORMAT).as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ => {
                self.error(&settings::LOG_FORMAT, "must be json or text");
                LogFormat::Text
            }
        }
    }

    fn log_filter(&mut self) -> String {
        let filter = self.value_or_default(&settings::RUST_LOG);
        // `EnvFilter` takes a level with a blank for the name of a target, and so
        // a misspelt level too, after which nothing would be logged at all.
        let parts: Vec<&str> = filter.split(',').map(str::trim).collect();
        let names_levels = parts
            .iter()
            .all(|part| part.contains('=') || part.parse::<LevelFilter>().is_ok());
        let filter = parts.join(",");
        if !names_levels || EnvFilter::try_new(&filter).is_err() {
            self.error(
                &settings::RUST_LOG,
                "must be a level such as info or debug, or a list of target=level",
            );
        }
        filter
    }

    fn metrics_address(&mut self) -> Option<SocketAddr> {
        let address = self.text(&settings::METRICS_ADDR)?.parse().ok();
        if address.is_none() {
            self.error(
                &settings::METRICS_ADDR,
                "must be an IP address and a port such as 0.0.0.0:9090",
            );
        }
        address
    }

    fn traces(&mut self) -> Option<Url> {
        let text = self.text(&settings::OTEL_EXPORTER_OTLP_ENDPOINT)?;
        if !cfg!(feature = "otlp") {
            self.error(
                &settings::OTEL_EXPORTER_OTLP_ENDPOINT,
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
                &settings::OTEL_EXPORTER_OTLP_ENDPOINT,
                "must be a URL such as http://localhost:4318, without user or query",
            );
        }
        url
    }

    fn revision(&mut self) -> Option<String> {
        let revision = self.text(&settings::CLARITY_REVISION)?;
        let is_name = revision.len() <= 64
            && revision
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_name {
            self.error(
                &settings::CLARITY_REVISION,
                "must be a revision: up to 64 of A-Z a-z 0-9 . _ -",
            );
        }
        Some(revision)
    }
}
