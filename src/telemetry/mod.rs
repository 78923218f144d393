//! What the service tells of itself: logs, metrics and traces.
//!
//! Every other module may use this one, as it may use `tracing`; it uses none
//! of them. Nothing personal gets out here: texts are constant, labels and
//! attributes are names from the source or bounded numbers, and what clients
//! send is in none of them but for ids that are held to their form.

mod logs;
pub mod metrics;
mod request_stats;
mod trace_context;
#[cfg(feature = "otlp")]
mod traces;

use std::error::Error;
use std::iter;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Span;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

pub use self::logs::{AUDIT, LogFormat};
pub use self::metrics::{Metrics, MetricsSettings};
pub use self::request_stats::{PropagateRequestContext, RequestStats};
pub use self::trace_context::{TraceContext, TraceSource};

/// What to tell, and how.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    /// How log lines are written.
    pub log_format: LogFormat,
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log_filter: String,
    /// Who gets metrics.
    pub metrics: MetricsSettings,
    /// The URL of what takes traces, if they are to be sent.
    pub traces: Option<url::Url>,
    /// The environment's name, as metrics and traces bear it.
    pub environment: &'static str,
    /// The revision of the source that this was built of, if it is known.
    pub revision: Option<String>,
}

/// How long the last metrics and traces may take.
const FINISH_TIMEOUT: Duration = Duration::from_secs(2);

/// What goes on telling while the service runs.
pub struct Telemetry {
    metrics: Metrics,
    #[cfg(feature = "otlp")]
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Starts logging, counting and tracing, once for the process, in a Tokio
    /// runtime.
    ///
    /// # Errors
    /// When there is a logger or a recorder already, or no traces can be sent
    /// with these settings.
    pub fn start(settings: &TelemetrySettings) -> Result<Self, Box<dyn Error + Send + Sync>> {
        #[cfg(feature = "otlp")]
        let traces = settings
            .traces
            .as_ref()
            .map(|endpoint| traces::Traces::start(endpoint, settings))
            .transpose()?;
        let subscriber = tracing_subscriber::registry().with(logs::layer(settings));
        // A layer that is an empty `Option` would want every span.
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

    /// What it counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Hands on what is left to tell, as far as it is taken within two seconds. To
    /// be called when the service has stopped.
    pub async fn finish(self) {
        let metrics = self.metrics;
        // Whoever reads standard output may have stopped.
        let flushed = spawn_blocking(move || metrics.flush());
        let finished = async {
            #[cfg(feature = "otlp")]
            if let Some(traces) = self.traces {
                traces.finish().await;
            }
            flushed.await
        };
        if timeout(FINISH_TIMEOUT, finished).await.is_err() {
            tracing::warn!("nobody took the last metrics or traces");
        }
    }
}

/// An error and what caused it, outermost first.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Begins the span of a request: a part of the trace that the request belongs
/// to, if it comes from a span of that. It must not have been entered. Gives the
/// id of its trace, of its own one if need be.
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
