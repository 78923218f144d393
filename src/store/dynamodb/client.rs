use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{Builder, Credentials, Region, SharedInterceptor};
use aws_sdk_dynamodb::{Client, Config};

use super::attempt_metrics::AttemptMetrics;

/// Location of the table, and options of the client.
#[derive(Debug, Clone)]
pub struct DynamoDbSettings {
    /// Table name.
    pub table: String,
    /// AWS region.
    pub region: String,
    /// Endpoint URL, if not AWS's own.
    pub endpoint: Option<String>,
    /// Sign requests with placeholder credentials, which DynamoDB Local accepts.
    pub placeholder_credentials: bool,
    /// Parse the responses of `Query` with the service's own parser, which makes
    /// listing about a quarter faster than the SDK's.
    ///
    /// It depends on runtime traits of the SDK that a minor release may change. Should
    /// an update break it, set this to `false` to use the SDK's parser.
    pub fast_query_parser: bool,
}

/// Timeouts of DynamoDB requests. DynamoDB responds within tens of milliseconds; a
/// request that takes much longer only occupies capacity that others need.
#[derive(Debug, Clone, Copy)]
pub struct DynamoDbTimeouts {
    /// Opening a connection.
    pub connect: Duration,
    /// One attempt of an operation.
    pub attempt: Duration,
    /// An operation with all its attempts.
    pub operation: Duration,
    /// All operations of a batch, or of one part of an erasure.
    pub batch: Duration,
}

impl Default for DynamoDbTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            attempt: Duration::from_millis(500),
            operation: Duration::from_secs(2),
            batch: Duration::from_secs(10),
        }
    }
}

/// Timeout of operations before the service accepts requests, which also load
/// credentials or create the table.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Attempts per operation, the first included.
const MAX_ATTEMPTS: u32 = 3;
/// Upper bound of the random delay before the first retry; it doubles for the next. The
/// SDK's default waits for seconds when throttled, but all attempts together have two.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// Returns the retry budget of all operations together: 10 retries after a long time
/// without failures, then 3 for every 5 successes. It covers sporadic failures, and
/// prevents retries from adding load during an outage.
fn retry_budget() -> RetryPartition {
    const COST: u32 = 5;
    let tokens = TokenBucket::builder()
        .capacity(50)
        .retry_cost(COST)
        .throttling_retry_cost(COST)
        .timeout_retry_cost(COST)
        .success_reward(3.0)
        .build();
    RetryPartition::custom("dynamodb")
        .token_bucket(tokens)
        .build()
}

/// Returns a configuration with [`STARTUP_TIMEOUT`].
pub(super) fn startup_timeouts() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(STARTUP_TIMEOUT / 2)
        .operation_timeout(STARTUP_TIMEOUT);
    Config::builder().timeout_config(timeouts.build())
}

/// Creates a client with explicit timeouts, as the SDK sets none for operations.
pub(super) async fn connect(settings: &DynamoDbSettings, timeouts: DynamoDbTimeouts) -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(INITIAL_BACKOFF),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(timeouts.connect)
                .operation_attempt_timeout(timeouts.attempt)
                .operation_timeout(timeouts.operation)
                .build(),
        );
    if settings.placeholder_credentials {
        loader = loader.credentials_provider(Credentials::new(
            "placeholder",
            "placeholder",
            None,
            None,
            "placeholder for DynamoDB Local",
        ));
    }
    // The SDK would also read an endpoint from its own variables and profiles. Only the
    // settings decide where health data is sent.
    let mut config = Builder::from(&loader.load().await);
    config.set_endpoint_url(settings.endpoint.clone());
    config.set_retry_partition(Some(retry_budget()));
    config.push_interceptor(SharedInterceptor::permanent(AttemptMetrics));
    Client::from_conf(config.build())
}
