use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{Builder, Credentials, Region};
use secrecy::SecretString;

use crate::telemetry::error_chain;

/// Maximum size of a key file; a secret has at most 64 KiB.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Source of keys that may change while the service runs.
#[derive(Debug)]
pub enum KeySource {
    /// A local file.
    File(PathBuf),
    /// A secret of AWS Secrets Manager.
    SecretsManager(SecretsManager),
}

impl KeySource {
    /// Reads the current contents.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read(&self) -> Result<SecretString, KeySourceError> {
        match self {
            Self::File(path) => read_file(path.clone()).await,
            Self::SecretsManager(secret) => secret.read().await,
        }
    }
}

async fn read_file(path: PathBuf) -> Result<SecretString, KeySourceError> {
    let read = move || -> Result<SecretString, KeySourceError> {
        // Reading a pipe could block forever.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(KeySourceError::NotRegularFile);
        }
        let mut text = String::new();
        File::open(&path)?
            .take(MAX_FILE_BYTES + 1)
            .read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(KeySourceError::TooLarge);
        }
        Ok(text.into())
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) => Err(io::Error::other(error).into()),
    }
}

/// A secret of AWS Secrets Manager.
#[derive(Debug)]
pub struct SecretsManager {
    client: Client,
    secret: String,
}

/// Timeout of opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout of reading a secret, with all attempts.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);

impl SecretsManager {
    /// Creates a client for the secret with this name or ARN. `endpoint` replaces AWS's
    /// own.
    pub async fn connect(secret: String, region: String, endpoint: Option<String>) -> Self {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(region))
            .retry_config(RetryConfig::standard())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_timeout(OPERATION_TIMEOUT)
                    .build(),
            );
        if endpoint.is_some() {
            // A stand-in accepts any credentials.
            let made_up = Credentials::new("placeholder", "placeholder", None, None, "placeholder");
            loader = loader.credentials_provider(made_up);
        }
        // The SDK would also read an endpoint from its own variables and profiles. Only
        // the settings decide which keys are trusted.
        let mut config = Builder::from(&loader.load().await);
        config.set_endpoint_url(endpoint);
        Self {
            client: Client::from_conf(config.build()),
            secret,
        }
    }

    async fn read(&self) -> Result<SecretString, KeySourceError> {
        let request = self.client.get_secret_value().secret_id(&self.secret);
        let answer = request.send().await;
        let answer = answer.map_err(|error| KeySourceError::SecretsManager {
            cause: error_chain(&error),
        })?;
        let text = answer.secret_string.ok_or(KeySourceError::NotText)?;
        Ok(text.into())
    }
}

/// Failure to read keys.
#[derive(Debug, thiserror::Error)]
pub enum KeySourceError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    File(#[from] io::Error),
    /// The path is not a regular file.
    #[error("not a regular file")]
    NotRegularFile,
    /// The file is too large for a list of keys.
    #[error("the file is too large for a list of keys")]
    TooLarge,
    /// Secrets Manager did not return the secret.
    #[error("Secrets Manager did not return the secret: {cause}")]
    SecretsManager {
        /// Error and its causes.
        cause: String,
    },
    /// The secret is binary.
    #[error("the secret must be text, not bytes")]
    NotText,
}
