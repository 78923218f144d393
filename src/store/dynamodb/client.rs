use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_dynamodb::config::{Builder, Credentials, Region, SharedInterceptor};
use aws_sdk_dynamodb::{Client, Config};

use super::attempt_metrics::AttemptMetrics;

/// Which table to use, and how to reach it.
#[derive(Debug, Clone)]
pub struct DynamoDbSettings {
    /// The table's name.
    pub table: String,
    /// The AWS region.
    pub region: String,
    /// Where DynamoDB answers, if not at AWS.
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

/// How long DynamoDB is waited for. It answers within some ten milliseconds; a
/// request that backoff much longer only holds a place that others need.
#[derive(Debug, Clone, Copy)]
pub struct DynamoDbTimeouts {
    /// To open a connection.
    pub connect: Duration,
    /// For one attempt of an operation.
    pub attempt: Duration,
    /// For an operation with all its attempts.
    pub operation: Duration,
    /// For all operations of a batch, or of a part of an erasure.
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

/// For what is done once, before requests are served: to get credentials, or
/// to make a table.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(10);

/// The first attempt and its repetitions.
const MAX_ATTEMPTS: u32 = 3;
/// At most so long is waited before the first repetition, at random, and twice
/// that before the next. The SDK backoff seconds where it is throttled, and there
/// are two for it all.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// What all operations together may spend on repetitions: 10 when there was no
/// fault for long, then 3 for every 5 operations that succeed. So a fault of
/// few operations is met by repeating them, and one of all by not adding to it.
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

/// What to add to an operation that is worth waiting for.
pub(super) fn startup_timeouts() -> Builder {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(STARTUP_TIMEOUT / 2)
        .operation_timeout(STARTUP_TIMEOUT);
    Config::builder().timeout_config(timeouts.build())
}

/// A client with explicit timeouts, of which the SDK has none for operations.
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
    // The SDK would also take an endpoint from variables and profiles of its
    // own; the settings alone say where the data go.
    let mut config = Builder::from(&loader.load().await);
    config.set_endpoint_url(settings.endpoint.clone());
    config.set_retry_partition(Some(retry_budget()));
    config.push_interceptor(SharedInterceptor::permanent(AttemptMetrics));
    Client::from_conf(config.build())
}
