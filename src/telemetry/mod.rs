//! Logs, metrics and traces.
//!
//! Every other module may use this one, which uses none of them. Nothing personal is
//! exported: texts are constant, and labels and attributes are identifiers from the
//! source or bounded numbers. Of client input only ids of a validated format appear.

mod error_chain;
mod logs;
pub mod metrics;
mod request_stats;
mod settings;
mod trace_context;
#[cfg(feature = "otlp")]
mod traces;

use std::error::Error;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::error_chain::error_chain;
pub use self::logs::AUDIT;
pub use self::metrics::Metrics;
pub use self::request_stats::{PropagateRequestContext, RequestStats};
pub use self::settings::{LogFormat, MetricsSettings, TelemetrySettings};
pub use self::trace_context::{TraceContext, TraceSource};

/// Timeout for exporting the last metrics and traces.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// Running exporters of the process.
pub struct Telemetry {
    metrics: Metrics,
    #[cfg(feature = "otlp")]
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Installs the logger, the metrics recorder and the tracer of the process.
    /// Requires a Tokio runtime.
    ///
    /// # Errors
    /// If a logger or recorder is installed already, or the trace exporter cannot be
    /// built.
    pub fn start(settings: &TelemetrySettings) -> Result<Self, Box<dyn Error + Send + Sync>> {
        #[cfg(feature = "otlp")]
        let traces = settings
            .traces
            .as_ref()
            .map(|endpoint| traces::Traces::start(endpoint, settings))
            .transpose()?;
        let subscriber = tracing_subscriber::registry().with(logs::layer(settings));
        // An empty `Option` as a layer would enable every span.
        #[cfg(feature = "otlp")]
        match &traces {
            Some(traces) => subscriber.with(traces.layer()).try_init()?,
            None => subscriber.try_init()?,
        }
        #[cfg(not(feature = "otlp"))]
        subscriber.try_init()?;
        logs::install_panic_hook();
        Ok(Self {
            metrics: Metrics::start(settings)?,
            #[cfg(feature = "otlp")]
            traces,
        })
    }

    /// Returns the metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Exports the last metrics and traces, within two seconds. To be called when the
    /// service has stopped.
    pub async fn finish(self) {
        let metrics = self.metrics;
        // Blocks if the reader of standard output has stopped reading.
        let flushed = spawn_blocking(move || metrics.flush());
        let finished = async {
            #[cfg(feature = "otlp")]
            if let Some(traces) = self.traces {
                traces.finish().await;
            }
            flushed.await
        };
        if timeout(FINISH_TIMEOUT, finished).await.is_err() {
            tracing::warn!("final metrics or traces could not be exported");
        }
    }
}

/// Makes the span of a request a child of the client's span, if there is one. The
/// span must not have been entered. Returns the id of its trace, which is a new one
/// without a context.
pub fn join_trace(span: &Span, context: Option<TraceContext>) -> Option<u128> {
    #[cfg(feature = "otlp")]
    if !span.is_disabled() {
        if let Some(context) = context {
            traces::adopt(span, context);
        }
        return traces::trace_id(span);
    }
    #[cfg(not(feature = "otlp"))]
    let _ = span;
    context.map(|context| context.trace_id)
}
