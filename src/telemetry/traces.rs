//! Traces, sent as OTLP over HTTP (protobuf).
//!
//! A span is told when it ends, from a queue that is bounded: when it is full,
//! or nobody takes it, spans are lost and requests go on. The variables
//! `OTEL_BSP_…`, `OTEL_TRACES_SAMPLER…`, `OTEL_RESOURCE_ATTRIBUTES` and
//! `OTEL_EXPORTER_OTLP_HEADERS` say what they say for every OpenTelemetry SDK,
//! which reads them by itself.

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

use super::{TelemetrySettings, TraceContext};

/// How long a request to whoever takes traces may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long sending what is left may take at the end.
const FINISH_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Sends traces.
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Sends traces to what takes them at `endpoint`, in a Tokio runtime.
    ///
    /// # Errors
    /// When nothing can be sent there.
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

    /// Takes the spans of this crate, and of no other.
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

    /// Sends what is left.
    pub async fn finish(self) {
        let finished = tokio::task::spawn_blocking(move || {
            self.provider.shutdown_with_timeout(FINISH_TIMEOUT)
        });
        if !matches!(finished.await, Ok(Ok(()))) {
            tracing::warn!("the last spans could not be sent");
        }
    }
}

/// Makes the span, which must not have been entered, a part of the trace that
/// its request belongs to, if it comes from a span of that.
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
    // Without traces there is no such span.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
}

/// The id of the trace that the span is a part of, if it is of one.
pub(super) fn trace_id(span: &Span) -> Option<u128> {
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context
        .is_valid()
        .then(|| u128::from_be_bytes(context.trace_id().to_bytes()))
}

/// Whether it was told that traces do not arrive.
static REPORTED: OnceLock<()> = OnceLock::new();

/// Sends over the HTTP client that the service has anyway. The SDK's own thread
/// waits for it, so it works in the runtime.
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
            let answer = http.execute(request.try_into()?).await?;
            let status = answer.status();
            // What it says is of no use, and might be large.
            Ok::<_, reqwest::Error>(status)
        });
        let status = sent.await?.map_err(reqwest::Error::without_url);
        match &status {
            Ok(status) if status.is_success() => {}
            Ok(status) if REPORTED.set(()).is_ok() => {
                tracing::warn!(
                    status = status.as_u16(),
                    "traces are refused: check OTEL_EXPORTER_OTLP_ENDPOINT; this is not told again"
                );
            }
            Err(error) if REPORTED.set(()).is_ok() => tracing::warn!(
                error = super::error_chain(error),
                "traces cannot be sent: check OTEL_EXPORTER_OTLP_ENDPOINT; this is not told again"
            ),
            _ => {}
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = status?;
        Ok(response)
    }
}
