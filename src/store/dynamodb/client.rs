use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Builder, Credentials, Region};

/// Which table to use, and how to reach it.
#[derive(Debug, Clone)]
pub struct DynamoDbSettings {
    /// The table's name.
    pub table: String,
    /// The AWS region.
    pub region: String,
    /// Where DynamoDB answers, if not at AWS.
    pub endpoint: Option<String>,
    /// Sign with made-up credentials, which DynamoDB Local takes.
    pub placeholder_credentials: bool,
}

/// To open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// For one attempt of an operation.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
/// For an operation with all its attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);
/// The first attempt and its repetitions.
const ATTEMPTS: u32 = 3;

/// A client with explicit timeouts, of which the SDK has none for operations.
pub(super) async fn connect(settings: &DynamoDbSettings) -> Client {
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(Region::new(settings.region.clone()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
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
    Client::from_conf(config.build())
}
