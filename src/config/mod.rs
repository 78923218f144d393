//! Configuration from environment variables, validated as a whole before
//! anything starts.
//!
//! [`SETTINGS`] lists every variable. [`Config::read`] fills the settings types of
//! the modules that use them, and reports all invalid variables at once, by name
//! and with a remedy. Values are never repeated: any of them may be a secret.

mod dotenv;
mod env_reader;
mod environment;
mod errors;
mod sections;
pub mod settings;
#[cfg(test)]
mod tests;
mod warnings;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

pub use self::dotenv::{EnvFileError, load_env_file};
use self::env_reader::EnvReader;
pub use self::environment::{DEVELOPMENT_KEY, Environment};
pub use self::errors::ConfigErrors;
pub use self::sections::insights::InsightConfig;
pub use self::sections::keys::{KeyConfig, KeyList, ServiceSecrets};
pub use self::sections::shutdown::ShutdownConfig;
pub use self::sections::tokens::TokenConfig;
pub use self::settings::{Group, SETTINGS, Setting};
use crate::http::{AllowedOrigins, Deadlines, RequestsPerMinute, TrustedProxies};
use crate::server::ConnectionLimits;
use crate::store::DynamoDbSettings;
use crate::telemetry::{MetricsSettings, TelemetrySettings};

/// Returns the value of an environment variable, for [`Config::read`].
#[expect(
    clippy::disallowed_methods,
    reason = "this is the only place that reads the environment"
)]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Configuration of the service.
#[derive(Debug)]
pub struct Config {
    /// Environment, which selects defaults and checks.
    pub environment: Environment,
    /// Address to listen on.
    pub address: SocketAddr,
    /// Store of the readings.
    pub store: StoreConfig,
    /// API keys that clients authenticate with.
    pub keys: KeyConfig,
    /// Issuer whose tokens clients may present instead.
    pub tokens: Option<TokenConfig>,
    /// Secrets for cursors and pseudonyms.
    pub service_secrets: ServiceSecrets,
    /// Rate limits of principals and addresses.
    pub rate_limits: RequestsPerMinute,
    /// True if no limit per principal is set explicitly.
    pub has_default_rate_limits: bool,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: TrustedProxies,
    /// Origins of web pages that may call the API.
    pub allowed_origins: AllowedOrigins,
    /// Limits of connections.
    pub connections: ConnectionLimits,
    /// Deadlines of requests.
    pub deadlines: Deadlines,
    /// Insights and Gemini.
    pub insights: InsightConfig,
    /// Timing of a graceful shutdown.
    pub shutdown: ShutdownConfig,
    /// Logs, metrics and traces.
    pub telemetry: TelemetrySettings,
}

/// Store of the readings.
#[derive(Debug)]
pub enum StoreConfig {
    /// Database file in a directory.
    Embedded {
        /// Data directory.
        directory: PathBuf,
    },
    /// DynamoDB table.
    DynamoDb(DynamoDbSettings),
}

impl StoreConfig {
    /// Returns a text that identifies the store, whatever the credentials.
    pub fn identity(&self) -> String {
        match self {
            Self::Embedded { directory } => format!("embedded {}", directory.display()),
            Self::DynamoDb(settings) => {
                let DynamoDbSettings {
                    table,
                    region,
                    endpoint,
                    ..
                } = settings;
                format!("table {table} in {region} at {endpoint:?}")
            }
        }
    }
}

impl Config {
    /// Reads the configuration; `variable` returns the value of a variable. An
    /// empty value counts as unset.
    ///
    /// # Errors
    /// Lists every invalid variable.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigErrors> {
        let mut reader = EnvReader::new(variable);
        let address = reader.address();
        let store = reader.store();
        let tokens = reader.tokens();
        let keys = reader.keys(tokens.is_some());
        let service_secrets = reader.service_secrets(&keys);
        let rate_limits = reader.rate_limits();
        let trusted_proxies = reader.trusted_proxies();
        let allowed_origins = reader.allowed_origins();
        let connections = reader.connections();
        let insights = reader.insights();
        let config = Self {
            environment: reader.environment(),
            address,
            store,
            keys,
            tokens,
            service_secrets,
            rate_limits,
            has_default_rate_limits: reader.has_default_rate_limits(),
            trusted_proxies,
            allowed_origins,
            connections,
            deadlines: reader.deadlines(insights.deadline),
            insights,
            shutdown: reader.shutdown(),
            telemetry: reader.telemetry(),
        };
        reader.finish(config)
    }

    /// Returns true if clients authenticate with the public development key.
    pub fn uses_development_key(&self) -> bool {
        self.keys.has_development_key()
    }
}

/// Configuration of a command that uses the store, needs no keys and does not listen.
#[derive(Debug)]
pub struct StoreCommandConfig {
    /// Environment, which selects defaults and checks.
    pub environment: Environment,
    /// Store of the readings.
    pub store: StoreConfig,
    /// Logs; metrics and traces are off.
    pub telemetry: TelemetrySettings,
}

impl StoreCommandConfig {
    /// Reads the configuration like [`Config::read`].
    ///
    /// # Errors
    /// Lists every invalid variable.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigErrors> {
        let mut reader = EnvReader::new(variable);
        let store = reader.store();
        let telemetry = TelemetrySettings {
            metrics: MetricsSettings::default(),
            traces: None,
            ..reader.telemetry()
        };
        let environment = reader.environment();
        reader.finish(Self {
            environment,
            store,
            telemetry,
        })
    }
}

/// Reads the DynamoDB table alone, like [`Config::read`].
///
/// # Errors
/// Lists every invalid variable.
pub fn read_table(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<DynamoDbSettings, ConfigErrors> {
    let mut reader = EnvReader::new(variable);
    let table = reader.table();
    reader.finish(table)
}

/// Reads the address to listen on alone, like [`Config::read`]: the health check
/// must not need the other settings.
///
/// # Errors
/// Lists every invalid variable.
pub fn read_address(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SocketAddr, ConfigErrors> {
    let mut reader = EnvReader::new(variable);
    let address = reader.address();
    reader.finish(address)
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    fn address(&mut self) -> SocketAddr {
        let host = match self.value_or_default(&settings::HOST).as_str() {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            host => host.parse::<IpAddr>().unwrap_or_else(|_| {
                self.error(
                    &settings::HOST,
                    "must be an IP address such as 127.0.0.1, or 0.0.0.0 for all interfaces",
                );
                Ipv4Addr::LOCALHOST.into()
            }),
        };
        let port = self.number(&settings::PORT);
        SocketAddr::new(host, u16::try_from(port).unwrap_or_default())
    }
}
