//! Settings of logs, metrics and traces.

use std::net::SocketAddr;

/// Settings of logs, metrics and traces.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// Format of log lines.
    pub log_format: LogFormat,
    /// Log filter in the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// Metrics.
    pub metrics: MetricsSettings,
    /// URL of the OTLP collector for traces, if there is one.
    pub traces: Option<url::Url>,
    /// Name of the environment in metrics and traces.
    pub environment: &'static str,
    /// Source revision of the build, if known.
    pub revision: Option<String>,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON objects, for machines.
    Json,
    /// Text, for people.
    Text,
}

/// Settings of metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Address of the Prometheus endpoint, if there is one.
    pub address: Option<SocketAddr>,
    /// Enables EMF lines for `CloudWatch` on standard output.
    pub emf: bool,
}
