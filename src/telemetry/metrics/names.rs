//! Table of all metrics: name, meaning, type, labels and CloudWatch dimensions.
//!
//! Label values are identifiers from the source (route templates, known methods)
//! or HTTP statuses, so the number of series is bounded.

use ::metrics::Unit;

/// Metric of the service.
#[derive(Debug)]
pub struct MetricDefinition {
    /// Name, with the unit as a suffix by the conventions of Prometheus.
    pub name: &'static str,
    /// Meaning, the help text in Prometheus.
    pub help: &'static str,
    /// Type and, for a histogram, unit and buckets.
    pub kind: MetricKind,
    /// Labels in Prometheus, all of which each series has.
    pub labels: &'static [&'static str],
    /// Labels that are dimensions in `CloudWatch`, which bills every combination:
    /// series are summed over the others. `None` omits the metric there.
    pub cloudwatch: Option<&'static [&'static str]>,
}

/// Type of a metric.
#[derive(Debug, Clone, Copy)]
pub enum MetricKind {
    /// Monotonic counter.
    Counter,
    /// Current value.
    Gauge,
    /// Distribution, with its unit and its upper bucket bounds in Prometheus.
    Histogram(Unit, &'static [f64]),
}

impl MetricKind {
    /// Returns the name of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(..) => "histogram",
        }
    }

    /// Returns the unit, as `CloudWatch` names it.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Histogram(Unit::Seconds, _) => "Seconds",
            Self::Counter | Self::Gauge | Self::Histogram(..) => "Count",
        }
    }
}

/// From a cached response to the longest deadline, in seconds.
const REQUEST_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// Up to the maximum size of a batch.
const BATCH_SIZES: &[f64] = &[
    1.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0,
];

impl MetricDefinition {
    const fn new(name: &'static str, kind: MetricKind, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind,
            labels: &[],
            cloudwatch: Some(&[]),
        }
    }

    const fn counter(name: &'static str, help: &'static str) -> Self {
        Self::new(name, MetricKind::Counter, help)
    }

    const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self::new(name, MetricKind::Gauge, help)
    }

    const fn seconds(name: &'static str, help: &'static str) -> Self {
        let kind = MetricKind::Histogram(Unit::Seconds, REQUEST_SECONDS);
        Self::new(name, kind, help)
    }

    const fn labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }

    const fn dimensions(self, labels: &'static [&'static str]) -> Self {
        Self {
            cloudwatch: Some(labels),
            ..self
        }
    }

    const fn not_in_cloudwatch(self) -> Self {
        Self {
            cloudwatch: None,
            ..self
        }
    }
}

/// Defines a constant per metric, and the table of all.
macro_rules! metrics {
    ($($constant:ident = $constructor:ident($name:literal, $($argument:expr),+) $(. $modifier:ident ($($value:expr)?))*;)+) => {
        $(
            #[doc = concat!("`", $name, "`")]
            pub const $constant: MetricDefinition =
                MetricDefinition::$constructor($name, $($argument),+)$(.$modifier($($value)?))*;
        )+

        /// Every metric.
        pub const ALL: &[MetricDefinition] = &[$($constant),+];
    };
}

metrics! {
    REQUESTS = counter(
        "clarity_http_requests_total",
        "Requests by method, route and status; the status is `interrupted` if the client disconnected before a response."
    ).labels(&["method", "route", "status"]).dimensions(&["status"]);
    REQUEST_DURATION = seconds(
        "clarity_http_request_duration_seconds",
        "Time to the response, of a stream to its end, by route."
    ).labels(&["route"]).dimensions(&["route"]);
    REQUESTS_IN_FLIGHT = gauge(
        "clarity_http_requests_in_flight",
        "Requests being served, until the end of their responses."
    );
    REQUESTS_SHED = counter(
        "clarity_http_requests_shed_total",
        "Requests shed under load, by the limit that was reached: `writes`, `reads`, `scans`, `batches`, `insights` or `memory`."
    ).labels(&["limit"]);
    CONNECTIONS_OPEN = gauge("clarity_http_connections_open", "Open client connections.");
    PANICS = counter("clarity_panics_total", "Panics, each of which is a bug.");
    STORE_OPERATIONS = counter(
        "clarity_store_operations_total",
        "Store operations by operation and outcome: `ok`, `throttled`, `unavailable`, `misconfigured`, `corrupt` or `interrupted`."
    ).labels(&["operation", "outcome"]).dimensions(&["outcome"]);
    STORE_OPERATION_DURATION = seconds(
        "clarity_store_operation_duration_seconds",
        "Duration of store operations including retries, by operation."
    ).labels(&["operation"]).dimensions(&["operation"]);
    STORE_ATTEMPTS = counter(
        "clarity_store_attempts_total",
        "Requests sent to DynamoDB by operation and outcome: `ok`, `throttled` or `failed`."
    ).labels(&["operation", "outcome"]).dimensions(&["outcome"]);
    STORE_RETRIES = counter(
        "clarity_store_retries_total",
        "Retries of requests to DynamoDB, by operation."
    ).labels(&["operation"]);
    LATE_WRITES = counter(
        "clarity_store_late_writes_total",
        "Deleted readings that a write restored which had been sent before, and that were deleted again."
    );
    READINGS_STORED = counter(
        "clarity_readings_stored_total",
        "Readings acknowledged by result: `stored` or `superseded`; includes replays."
    ).labels(&["result"]).dimensions(&["result"]);
    READINGS_UNREADABLE = counter(
        "clarity_readings_unreadable_total",
        "Stored readings that lists, exports, summaries and insights skipped since they cannot be decoded; each time one is skipped counts."
    );
    BATCH_READINGS = new(
        "clarity_batch_readings",
        MetricKind::Histogram(Unit::Count, BATCH_SIZES),
        "Distinct readings per batch."
    );
    GEMINI_ATTEMPTS = counter(
        "clarity_gemini_attempts_total",
        "Requests sent to Gemini by outcome: `ok` or the code of the error."
    ).labels(&["outcome"]).dimensions(&["outcome"]);
    GEMINI_ATTEMPT_DURATION = seconds(
        "clarity_gemini_attempt_duration_seconds",
        "Duration of a request to Gemini, to the end of the response."
    );
    GEMINI_TOKENS = counter(
        "clarity_gemini_tokens_total",
        "Tokens counted by Gemini by kind: `prompt`, `answer` or `thought`."
    ).labels(&["kind"]).dimensions(&["kind"]);
    INSIGHT_CACHE_LOOKUPS = counter(
        "clarity_insight_cache_lookups_total",
        "Insight cache lookups by result: `hit` or `miss`."
    ).labels(&["result"]).dimensions(&["result"]);
    INSIGHTS = counter(
        "clarity_insights_total",
        "Questions answered, by status of the answer."
    ).labels(&["status"]).dimensions(&["status"]);
    BUILD_INFO = gauge(
        "clarity_build_info",
        "Always 1; the labels identify the build."
    ).labels(&["version", "revision"]).not_in_cloudwatch();
}
