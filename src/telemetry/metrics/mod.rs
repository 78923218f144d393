//! Metrics for Prometheus, which scrapes an endpoint, and for `CloudWatch`, as EMF
//! lines on standard output.

mod emf;
mod histogram;
pub mod names;

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::metrics::Recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_util::layers::FanoutBuilder;
use tokio::time::{Instant, sleep};

use self::emf::EmfRecorder;
use self::names::MetricKind;
use super::settings::TelemetrySettings;

/// Interval at which histogram samples are aggregated, to bound their memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Interval at which EMF lines are written: the standard resolution of `CloudWatch`.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);

/// Handle to the metrics of the process. With neither output enabled, recording is
/// a no-op.
#[derive(Clone, Default)]
pub struct Metrics {
    prometheus: Option<PrometheusHandle>,
    emf: Option<Arc<EmfRecorder>>,
}

impl Metrics {
    /// Installs the recorder of the process.
    ///
    /// # Errors
    /// If a recorder is installed already.
    pub(super) fn start(
        settings: &TelemetrySettings,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let prometheus = match settings.metrics.address {
            Some(_) => Some(prometheus()?.build_recorder()),
            None => None,
        };
        let emf = settings
            .metrics
            .emf
            .then(|| Arc::new(EmfRecorder::new(settings)));
        let metrics = Self {
            prometheus: prometheus.as_ref().map(|recorder| recorder.handle()),
            emf: emf.clone(),
        };
        match (prometheus, emf) {
            (Some(prometheus), Some(emf)) => install(
                FanoutBuilder::default()
                    .add_recorder(prometheus)
                    .add_recorder(emf)
                    .build(),
            )?,
            (Some(prometheus), None) => install(prometheus)?,
            (None, Some(emf)) => install(emf)?,
            (None, None) => return Ok(metrics),
        }
        describe();
        let revision = settings.revision.as_deref().unwrap_or("unknown");
        ::metrics::gauge!(
            names::BUILD_INFO.name,
            "version" => env!("CARGO_PKG_VERSION"),
            "revision" => revision.to_owned()
        )
        .set(1);
        Ok(metrics)
    }

    /// Renders the Prometheus exposition format; empty if that is disabled.
    pub fn render(&self) -> String {
        self.prometheus
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    }

    /// Aggregates samples and writes EMF lines at their intervals, forever.
    pub async fn run_upkeep(&self) -> Infallible {
        let mut flushed = Instant::now();
        loop {
            sleep(UPKEEP_INTERVAL).await;
            if let Some(prometheus) = &self.prometheus {
                prometheus.run_upkeep();
            }
            if let Some(emf) = &self.emf {
                emf.aggregate();
            }
            if flushed.elapsed() >= FLUSH_INTERVAL {
                flushed = Instant::now();
                let metrics = self.clone();
                // The reader of standard output may be slow.
                let _ = tokio::task::spawn_blocking(move || metrics.flush()).await;
            }
        }
    }

    /// Writes the EMF lines since the last flush.
    #[expect(clippy::disallowed_methods, reason = "EMF lines carry the system time")]
    pub fn flush(&self) {
        let Some(emf) = &self.emf else { return };
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let lines = emf.render(since_1970.unwrap_or_default());
        let mut output = io::stdout().lock();
        if let Err(error) = output
            .write_all(lines.as_bytes())
            .and_then(|()| output.flush())
        {
            tracing::warn!(%error, "cannot write metrics to standard output");
        }
    }
}

fn install(recorder: impl Recorder + Sync + 'static) -> Result<(), Box<dyn Error + Send + Sync>> {
    ::metrics::set_global_recorder(recorder).map_err(|error| error.to_string().into())
}

/// Configures the recorder for Prometheus.
fn prometheus() -> Result<PrometheusBuilder, Box<dyn Error + Send + Sync>> {
    let mut builder = PrometheusBuilder::new();
    for metric in names::ALL {
        if let MetricKind::Histogram(_, buckets) = metric.kind {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, buckets)?;
        }
    }
    Ok(builder)
}

/// Registers the help texts, and initializes metrics without labels to zero, so
/// that alarms have data before the first event.
fn describe() {
    for metric in names::ALL {
        let has_labels = !metric.labels.is_empty();
        match metric.kind {
            MetricKind::Counter => {
                ::metrics::describe_counter!(metric.name, metric.help);
            }
            MetricKind::Gauge => {
                ::metrics::describe_gauge!(metric.name, metric.help);
                if !has_labels {
                    ::metrics::gauge!(metric.name).set(0);
                }
            }
            MetricKind::Histogram(unit, _) => {
                ::metrics::describe_histogram!(metric.name, unit, metric.help);
            }
        }
    }
    ::metrics::counter!(names::PANICS.name).increment(0);
}
