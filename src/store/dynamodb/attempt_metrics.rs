use aws_sdk_dynamodb::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use serde::Deserialize;

use crate::telemetry::RequestStats;
use crate::telemetry::metrics::names;

/// Counts the attempts of each operation, as the SDK retries by itself.
#[derive(Debug)]
pub(super) struct AttemptMetrics;

/// Operations by name, so that labels have a bounded set of values.
const OPERATIONS: [&str; 9] = [
    "PutItem",
    "GetItem",
    "DeleteItem",
    "Query",
    "BatchWriteItem",
    "BatchGetItem",
    "DescribeTable",
    "CreateTable",
    "UpdateItem",
];

const OTHER: &str = "other";

impl Intercept for AttemptMetrics {
    fn name(&self) -> &'static str {
        "AttemptMetrics"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or(OTHER, operation);
        let outcome = match context.response() {
            Some(response) if response.status().is_success() => "ok",
            Some(response) if is_throttling(response) => "throttled",
            // The condition was evaluated, as requested.
            Some(response) if is_failed_condition(response) => "ok",
            _ => "failed",
        };
        RequestStats::count_attempt();
        metrics::counter!(
            names::STORE_ATTEMPTS.name, "operation" => operation, "outcome" => outcome
        )
        .increment(1);
        let attempt = config.load::<RequestAttempts>();
        if attempt.is_some_and(|attempt| attempt.attempts() > 1) {
            metrics::counter!(names::STORE_RETRIES.name, "operation" => operation).increment(1);
        }
        Ok(())
    }
}

/// Returns the name of the operation.
fn operation(metadata: &Metadata) -> &'static str {
    OPERATIONS
        .into_iter()
        .find(|&known| known == metadata.name())
        .unwrap_or(OTHER)
}

/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
fn is_throttling(response: &HttpResponse) -> bool {
    error_type(response).is_some_and(|kind| {
        kind.contains("Throttl")
            || kind.contains("ThroughputExceeded")
            || kind.contains("RequestLimitExceeded")
    })
}

fn is_failed_condition(response: &HttpResponse) -> bool {
    error_type(response).is_some_and(|kind| kind.contains("ConditionalCheckFailed"))
}

/// Returns the error type in the body of an error response.
fn error_type(response: &HttpResponse) -> Option<&str> {
    #[derive(Deserialize)]
    struct ErrorBody<'a> {
        #[serde(rename = "__type", borrow)]
        kind: &'a str,
    }
    let body = response.body().bytes()?;
    let error: ErrorBody<'_> = serde_json::from_slice(body).ok()?;
    Some(error.kind)
}
