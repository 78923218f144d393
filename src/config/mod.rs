//! What the environment says, checked as a whole before anything starts.
//!
//! [`Config::read`] is the only place that knows the names of variables. It
//! reports every fault at once, by name and with what would be right, and never
//! repeats a value: it may be a secret.

mod dotenv;
mod env_reader;
mod errors;
mod sections;
mod warnings;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use self::dotenv::{EnvFileError, load_env_file};
use self::env_reader::EnvReader;
pub use self::errors::ConfigErrors;
pub use self::sections::connections::ConnectionConfig;
pub use self::sections::cors::CorsConfig;
pub use self::sections::deadlines::DeadlineConfig;
pub use self::sections::insights::{GeminiConfig, InsightConfig};
pub use self::sections::keys::{KeyConfig, KeyList, ServiceSecrets};
pub use self::sections::rate_limits::LimitConfig;
pub use self::sections::shutdown::ShutdownConfig;
pub use self::sections::tokens::TokenConfig;
use crate::telemetry::{MetricsSettings, TelemetrySettings};

/// The key of a development service that was given none.
pub const DEVELOPMENT_KEY: &str = "development-key";

/// The value of an environment variable, for [`Config::read`].
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads them"
)]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Settings of the service.
#[derive(Debug)]
pub struct Config {
    /// Whether mistakes may be convenient or must be impossible.
    pub environment: Environment,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where readings are kept.
    pub store: StoreConfig,
    /// The keys of which clients present one.
    pub keys: KeyConfig,
    /// Whose tokens clients may present instead.
    pub tokens: Option<TokenConfig>,
    /// What cursors and the user ids of audit events are signed with.
    pub service_secrets: ServiceSecrets,
    /// How often clients may ask.
    pub limits: LimitConfig,
    /// Which web pages may talk to it.
    pub cors: CorsConfig,
    /// What connections may cost.
    pub connections: ConnectionConfig,
    /// How long requests may take.
    pub deadlines: DeadlineConfig,
    /// How questions are answered.
    pub insights: InsightConfig,
    /// How long it goes on once it is told to stop.
    pub shutdown: ShutdownConfig,
    /// What the service tells of itself, and how.
    pub telemetry: TelemetrySettings,
}

/// Where the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// On somebody's own machine.
    Development,
    /// With people's data.
    Production,
}

impl Environment {
    /// Its name, as `ENVIRONMENT` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// Which store, and where.
#[derive(Debug, PartialEq, Eq)]
pub enum StoreConfig {
    /// A file in this directory.
    Embedded {
        /// The data directory.
        directory: PathBuf,
    },
    /// A DynamoDB table.
    DynamoDb(TableConfig),
}

/// Which table of DynamoDB, and how to reach it.
#[derive(Debug, PartialEq, Eq)]
pub struct TableConfig {
    /// The table's name.
    pub table: String,
    /// The AWS region.
    pub region: String,
    /// Where DynamoDB answers, if not at AWS; never in production.
    pub endpoint: Option<String>,
    /// Whether the environment names credentials or a profile.
    pub has_credentials: bool,
}

impl StoreConfig {
    /// What tells the store from any other, however it is reached.
    pub fn identity(&self) -> String {
        match self {
            Self::Embedded { directory } => format!("embedded {}", directory.display()),
            Self::DynamoDb(table) => {
                let TableConfig {
                    table,
                    region,
                    endpoint,
                    ..
                } = table;
                format!("table {table} in {region} at {endpoint:?}")
            }
        }
    }
}

impl Config {
    /// Reads the settings through `variable`, which gives a variable's value.
    ///
    /// A variable that is empty counts as not set.
    ///
    /// # Errors
    /// All faults together.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigErrors> {
        let mut reader = EnvReader::new(variable);
        let environment = reader.environment();
        let address = reader.address(environment);
        let store = reader.store(environment);
        let tokens = reader.tokens(environment);
        let keys = reader.keys(environment, tokens.is_some());
        let service_secrets = reader.service_secrets(environment, &keys);
        let limits = reader.limits(environment);
        let cors = reader.cors(environment);
        let connections = reader.connections();
        let deadlines = reader.deadlines();
        let insights = reader.insights(environment);
        let shutdown = reader.shutdown(environment);
        let telemetry = reader.telemetry(environment);
        reader.finish(Self {
            environment,
            address,
            store,
            keys,
            tokens,
            service_secrets,
            limits,
            cors,
            connections,
            deadlines,
            insights,
            shutdown,
            telemetry,
        })
    }

    /// Whether clients present the key that everybody knows.
    pub fn uses_development_key(&self) -> bool {
        self.keys.has_development_key()
    }
}

/// Settings of an import, which needs no keys and listens nowhere.
#[derive(Debug)]
pub struct ImportConfig {
    /// Whether mistakes may be convenient or must be impossible.
    pub environment: Environment,
    /// Where readings are kept.
    pub store: StoreConfig,
    /// What is logged, and how; nothing else is told.
    pub telemetry: TelemetrySettings,
}

impl ImportConfig {
    /// Reads the settings through `variable`, as [`Config::read`].
    ///
    /// # Errors
    /// All faults together.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigErrors> {
        let mut reader = EnvReader::new(variable);
        let environment = reader.environment();
        let store = reader.store(environment);
        let telemetry = TelemetrySettings {
            metrics: MetricsSettings::default(),
            traces: None,
            ..reader.telemetry(environment)
        };
        reader.finish(Self {
            environment,
            store,
            telemetry,
        })
    }
}

/// A table of DynamoDB, from the same variables.
///
/// # Errors
/// As [`Config::read`].
pub fn read_table(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<TableConfig, ConfigErrors> {
    let mut reader = EnvReader::new(variable);
    let environment = reader.environment();
    let table = reader.table(environment);
    reader.finish(table)
}

/// Where the service listens, from the same variables: for a command that asks
/// a running service and needs no more of its settings.
///
/// # Errors
/// As [`Config::read`].
pub fn read_address(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SocketAddr, ConfigErrors> {
    let mut reader = EnvReader::new(variable);
    let environment = reader.environment();
    let address = reader.address(environment);
    reader.finish(address)
}

#[cfg(test)]
mod tests;
