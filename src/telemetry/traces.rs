//! Traces, sent as OTLP over HTTP (protobuf).
//!
//! Ended spans are exported from a bounded queue. If it is full or the collector is
//! unavailable, spans are dropped and requests are unaffected. The OpenTelemetry SDK
//! itself reads `OTEL_BSP_…`, `OTEL_TRACES_SAMPLER…`, `OTEL_RESOURCE_ATTRIBUTES` and
//! `OTEL_EXPORTER_OTLP_HEADERS`.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::EnvResourceDetector;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::error_chain::error_chain;
use super::settings::TelemetrySettings;
use super::trace_context::TraceContext;

/// Timeout of a request to the collector.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout for exporting the last spans at shutdown.
const FINISH_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Trace exporter.
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Starts exporting to the collector at `endpoint`. Requires a Tokio runtime.
    ///
    /// # Errors
    /// If the exporter cannot be built.
    pub fn start(
        endpoint: &Url,
        settings: &TelemetrySettings,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut url = endpoint.clone();
        // https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp
        url.set_path(&format!(
            "{}/v1/traces",
            endpoint.path().trim_end_matches('/')
        ));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new()?)
            .with_endpoint(url)
            .with_timeout(SEND_TIMEOUT)
            .build()?;
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new("deployment.environment.name", settings.environment),
            ])
            .with_detector(Box::new(EnvResourceDetector::new()))
            .build();
        Ok(Self {
            provider: SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource)
                .build(),
        })
    }

    /// Returns the layer that records the spans of this crate, and no others.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME")))
            .with_filter(filter_fn(|metadata| {
                metadata.is_span() && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
            }))
    }

    /// Exports the remaining spans.
    pub async fn finish(self) {
        let finished = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(FINISH_TIMEOUT)
        });
        if !matches!(finished.await, Ok(Ok(()))) {
            tracing::warn!("final spans could not be exported");
        }
    }
}

/// Makes the span, which must not have been entered, a child of the context's parent
/// span, if there is one.
pub(super) fn adopt(span: &Span, context: TraceContext) {
    let Some(parent_id) = context.parent_id else {
        return;
    };
    let parent = SpanContext::new(
        TraceId::from(context.trace_id),
        SpanId::from(parent_id),
        TraceFlags::default().with_sampled(context.sampled),
        true,
        TraceState::NONE,
    );
    // Fails only without an OpenTelemetry layer.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// Returns the id of the span's trace, if it has one.
pub(super) fn trace_id(span: &Span) -> Option<u128> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context
        .is_valid()
        .then(|| u128::from_be_bytes(context.trace_id().to_bytes()))
}

/// Set once a failed export has been logged: further failures are not.
static REPORTED: OnceLock<()> = OnceLock::new();

/// HTTP client of the exporter, based on the one that the service uses anyway. The
/// SDK's thread blocks on it, so requests run in the Tokio runtime.
#[derive(Debug)]
struct Sender {
    http: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    fn new() -> Result<Self, reqwest::Error> {
        #[expect(clippy::disallowed_methods, reason = "it has a timeout")]
        let http = reqwest::Client::builder()
            .timeout(SEND_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let response = http.execute(request.try_into()?).await?;
            let status = response.status();
            // The body is not needed, and may be large.
            Ok::<_, reqwest::Error>(status)
        });
        let status = sent.await?.map_err(reqwest::Error::without_url);
        match &status {
            Ok(status) if status.is_success() => {}
            Ok(status) if REPORTED.set(()).is_ok() => {
                tracing::warn!(
                    status = status.as_u16(),
                    "the collector rejects traces: check OTEL_EXPORTER_OTLP_ENDPOINT; further failures are not logged"
                );
            }
            Err(error) if REPORTED.set(()).is_ok() => tracing::warn!(
                error = error_chain(error),
                "traces cannot be sent: check OTEL_EXPORTER_OTLP_ENDPOINT; further failures are not logged"
            ),
            _ => {}
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status?;
        Ok(response)
    }
}
