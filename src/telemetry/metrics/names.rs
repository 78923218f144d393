//! Every metric: its name, what it says, and by which labels.
//!
//! The values of labels are names from the source (routes are templates,
//! methods the known ones) or HTTP statuses, so that there is a bounded number
//! of series.

use ::metrics::Unit;

/// A metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with the unit as Prometheus has it.
    pub name: &'static str,
    /// What it says.
    pub help: &'static str,
    /// How it is counted.
    pub kind: MetricKind,
    /// Its labels in `CloudWatch`, where each combination costs money each
    /// month: the others are summed up. `None` leaves the metric out there.
    pub cloudwatch: Option<&'static [&'static str]>,
}

/// How a metric is counted.
#[derive(Debug, Clone, Copy)]
pub enum MetricKind {
    /// Only ever grows.
    Counter,
    /// What is at the moment.
    Gauge,
    /// A distribution.
    Histogram(Unit, &'static [f64]),
}

/// From a cache's answer to the longest that a request may take, in seconds.
const REQUEST_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// What a batch may hold.
const BATCH_SIZES: &[f64] = &[
    1.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0,
];

const fn counter(
    name: &'static str,
    help: &'static str,
    cloudwatch: &'static [&'static str],
) -> Metric {
    Metric {
        name,
        help,
        kind: MetricKind::Counter,
        cloudwatch: Some(cloudwatch),
    }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        help,
        kind: MetricKind::Gauge,
        cloudwatch: Some(&[]),
    }
}

const fn seconds(
    name: &'static str,
    help: &'static str,
    cloudwatch: &'static [&'static str],
) -> Metric {
    Metric {
        name,
        help,
        kind: MetricKind::Histogram(Unit::Seconds, REQUEST_SECONDS),
        cloudwatch: Some(cloudwatch),
    }
}

/// Defines the metrics, and the list of all.
macro_rules! metrics {
    ($($(#[$doc:meta])* $constant:ident = $metric:expr;)+) => {
        $($(#[$doc])* pub const $constant: Metric = $metric;)+

        /// Every metric.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

metrics! {
    /// Labels `method`, `route`, `status`.
    REQUESTS = counter(
        "clarity_http_requests_total",
        "Requests, by method, route and status; status is interrupted where the client went away before an answer.",
        &["status"],
    );
    /// Label `route`.
    REQUEST_DURATION = seconds(
        "clarity_http_request_duration_seconds",
        "Time until an answer was given, to the end of a stream.",
        &["route"],
    );
    /// No labels.
    REQUESTS_IN_FLIGHT = gauge(
        "clarity_http_requests_in_flight",
        "Requests being served, to the end of their answers.",
    );
    /// Label `limit`: a class of routes, or memory.
    REQUESTS_SHED = counter(
        "clarity_http_requests_shed_total",
        "Requests refused at once because the service is at a limit, by the limit.",
        &[],
    );
    /// No labels.
    CONNECTIONS_OPEN = gauge("clarity_http_connections_open", "Open connections of clients.");
    /// No labels.
    PANICS = counter("clarity_panics_total", "Panics, of which each is a defect.", &[]);
    /// Labels `operation`, `outcome`.
    STORE_OPERATIONS = counter(
        "clarity_store_operations_total",
        "What the store was asked to do, by operation and outcome (ok, throttled, unavailable, misconfigured, corrupt, interrupted).",
        &["outcome"],
    );
    /// Label `operation`.
    STORE_OPERATION_DURATION = seconds(
        "clarity_store_operation_duration_seconds",
        "Time that the store took, repetitions included.",
        &["operation"],
    );
    /// Labels `operation`, `outcome`.
    STORE_ATTEMPTS = counter(
        "clarity_store_attempts_total",
        "Requests sent to DynamoDB, by operation and outcome (ok, throttled, failed).",
        &["outcome"],
    );
    /// Label `operation`.
    STORE_RETRIES = counter(
        "clarity_store_retries_total",
        "Requests sent to DynamoDB once more, by operation.",
        &[],
    );
    /// Label `result`.
    READINGS_STORED = counter(
        "clarity_readings_stored_total",
        "Readings acknowledged, by result (stored, superseded), replayed ones included.",
        &["result"],
    );
    /// No labels.
    BATCH_READINGS = Metric {
        name: "clarity_batch_readings",
        help: "Different readings in a batch.",
        kind: MetricKind::Histogram(Unit::Count, BATCH_SIZES),
        cloudwatch: Some(&[]),
    };
    /// Label `outcome`.
    GEMINI_ATTEMPTS = counter(
        "clarity_gemini_attempts_total",
        "Requests sent to Gemini, by outcome: ok, or the code of the failure.",
        &["outcome"],
    );
    /// No labels.
    GEMINI_ATTEMPT_DURATION = seconds(
        "clarity_gemini_attempt_duration_seconds",
        "Time of a request to Gemini, to the end of the answer.",
        &[],
    );
    /// Label `kind`.
    GEMINI_TOKENS = counter(
        "clarity_gemini_tokens_total",
        "Tokens that Gemini counted, by kind (prompt, answer, thought).",
        &["kind"],
    );
    /// Label `result`.
    INSIGHT_CACHE_LOOKUPS = counter(
        "clarity_insight_cache_lookups_total",
        "Looks for an answer of Gemini's that is remembered, by result (hit, miss).",
        &["result"],
    );
    /// Label `status`.
    INSIGHTS = counter(
        "clarity_insights_total",
        "Questions answered, by status of the answer.",
        &["status"],
    );
    /// Labels `version`, `revision`.
    BUILD_INFO = Metric {
        name: "clarity_build_info",
        help: "Always 1; its labels say which build runs.",
        kind: MetricKind::Gauge,
        cloudwatch: None,
    };
}
