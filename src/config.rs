//! What the environment says, checked as a whole before anything starts.
//!
//! [`Config::read`] is the only place that knows the names of variables. It
//! reports every fault at once, by name and with what would be right, and never
//! repeats a value: it may be a secret.

use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::EnvFilter;
use url::Url;

/// The key of a development service that was given none.
pub const DEVELOPMENT_KEY: &str = "development-key";

/// The shortest key that production takes, in characters.
const SHORTEST_PRODUCTION_KEY: usize = 20;

/// The value of an environment variable, for [`Config::read`].
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads them"
)]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Puts what the file `.env` in the working directory sets into the
/// environment, where that does not set it already. To be called before any
/// thread is started.
///
/// # Errors
/// When there is such a file and it cannot be read.
pub fn load_file() -> Result<(), FileFault> {
    // `from_path` and not `dotenv`, which would look in parent directories too.
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::Io(error)) => Err(FileFault::Unreadable(error)),
        // What it says of a line repeats the line, which may hold a secret.
        Err(_) => Err(FileFault::Malformed),
    }
}

/// What is wrong with the file `.env`.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It cannot be read.
    #[error("cannot read .env: {0}")]
    Unreadable(std::io::Error),
    /// It has a line that sets no variable.
    #[error(".env must hold lines NAME=value, with values in quotes that have spaces")]
    Malformed,
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
    /// The key that clients present.
    pub api_key: SecretString,
    /// The key for Gemini, if there is one.
    pub gemini_api_key: Option<SecretString>,
    /// What is logged, in the syntax of `RUST_LOG`.
    pub log_filter: String,
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
    DynamoDb {
        /// The table's name.
        table: String,
        /// The AWS region.
        region: String,
        /// Where DynamoDB answers, if not at AWS; never in production.
        endpoint: Option<String>,
        /// Whether the environment names credentials or a profile.
        has_credentials: bool,
    },
}

impl Config {
    /// Reads the settings through `variable`, which gives a variable's value.
    ///
    /// A variable that is empty counts as not set.
    ///
    /// # Errors
    /// All faults together.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigFaults> {
        let mut reader = Reader::new(variable);
        let environment = reader.environment();
        let address = reader.address(environment);
        let store = reader.store(environment);
        let api_key = reader.api_key(environment);
        let gemini_api_key = reader.text("GEMINI_API_KEY").map(SecretString::from);
        let log_filter = reader.log_filter();
        if reader.faults.0.is_empty() {
            Ok(Self {
                environment,
                address,
                store,
                api_key,
                gemini_api_key,
                log_filter,
            })
        } else {
            Err(reader.faults)
        }
    }

    /// Whether clients present the key that everybody knows.
    pub fn uses_development_key(&self) -> bool {
        self.api_key.expose_secret() == DEVELOPMENT_KEY
    }
}

/// Where the service listens, from the same variables: for a command that asks
/// a running service and needs no more of its settings.
///
/// # Errors
/// As [`Config::read`].
pub fn read_address(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<SocketAddr, ConfigFaults> {
    let mut reader = Reader::new(variable);
    let environment = reader.environment();
    let address = reader.address(environment);
    if reader.faults.0.is_empty() {
        Ok(address)
    } else {
        Err(reader.faults)
    }
}

/// Everything that is wrong with the environment.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults(Vec<Fault>);

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    variable: &'static str,
    advice: String,
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is not usable:")?;
        for Fault { variable, advice } in &self.0 {
            write!(formatter, "\n  {variable} {advice}")?;
        }
        Ok(())
    }
}

/// Reads variables and gathers faults; a faulty one yields a stand-in, so that
/// the others are read too.
struct Reader<V> {
    variable: V,
    faults: ConfigFaults,
}

impl<V: Fn(&str) -> Option<OsString>> Reader<V> {
    fn new(variable: V) -> Self {
        Self {
            variable,
            faults: ConfigFaults::default(),
        }
    }

    fn fault(&mut self, variable: &'static str, advice: impl Into<String>) {
        self.faults.0.push(Fault {
            variable,
            advice: advice.into(),
        });
    }

    fn text(&mut self, variable: &'static str) -> Option<String> {
        let value = (self.variable)(variable).filter(|value| !value.is_empty())?;
        match value.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                self.fault(variable, "must be UTF-8 text");
                None
            }
        }
    }

    fn environment(&mut self) -> Environment {
        match self.text("ENVIRONMENT").as_deref() {
            None | Some("development") => Environment::Development,
            Some("production") => Environment::Production,
            Some(_) => {
                self.fault("ENVIRONMENT", "must be development or production");
                Environment::Development
            }
        }
    }

    fn address(&mut self, environment: Environment) -> SocketAddr {
        // A service with a key that everybody knows is for its own machine.
        let default_host = match environment {
            Environment::Development => Ipv4Addr::LOCALHOST,
            Environment::Production => Ipv4Addr::UNSPECIFIED,
        };
        let host = match self.text("HOST").as_deref() {
            None => default_host.into(),
            Some("localhost") => Ipv4Addr::LOCALHOST.into(),
            Some(host) => host.parse::<IpAddr>().unwrap_or_else(|_| {
                self.fault(
                    "HOST",
                    "must be an IP address such as 127.0.0.1, or 0.0.0.0 for all",
                );
                default_host.into()
            }),
        };
        let port = match self.text("PORT") {
            None => 8000,
            Some(port) => port.parse().unwrap_or_else(|_| {
                self.fault(
                    "PORT",
                    "must be a number from 0 to 65535; 0 takes any free port",
                );
                0
            }),
        };
        SocketAddr::new(host, port)
    }

    fn store(&mut self, environment: Environment) -> StoreConfig {
        let endpoint = self.endpoint(environment);
        let kind = self.text("CLARITY_STORE");
        let default_kind = if environment == Environment::Production || endpoint.is_some() {
            "dynamodb"
        } else {
            "embedded"
        };
        match kind.as_deref().unwrap_or(default_kind) {
            "dynamodb" => self.dynamodb(endpoint),
            "embedded" => self.embedded(),
            _ => {
                self.fault("CLARITY_STORE", "must be embedded or dynamodb");
                self.embedded()
            }
        }
    }

    fn embedded(&mut self) -> StoreConfig {
        let directory = (self.variable)("CLARITY_DATA_DIR")
            .filter(|directory| !directory.is_empty())
            .map_or_else(|| PathBuf::from("clarity-data"), PathBuf::from);
        StoreConfig::Embedded { directory }
    }

    fn dynamodb(&mut self, endpoint: Option<String>) -> StoreConfig {
        let table = self
            .text("DYNAMODB_TABLE")
            .unwrap_or_else(|| "clarity-health-data".to_owned());
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
        if !(3..=255).contains(&table.len())
            || !table
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        {
            self.fault(
                "DYNAMODB_TABLE",
                "must be 3 to 255 of A-Z a-z 0-9 _ . -, such as clarity-health-data",
            );
        }
        let region = match self.text("AWS_REGION") {
            Some(region) => {
                if !region
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                {
                    self.fault("AWS_REGION", "must be a region such as eu-central-1");
                }
                region
            }
            // DynamoDB Local takes any.
            None if endpoint.is_some() => "us-east-1".to_owned(),
            None => {
                self.fault(
                    "AWS_REGION",
                    "must be set for DynamoDB, to a region such as eu-central-1",
                );
                String::new()
            }
        };
        let has_credentials = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"]
            .iter()
            .any(|name| (self.variable)(name).is_some_and(|value| !value.is_empty()));
        StoreConfig::DynamoDb {
            table,
            region,
            endpoint,
            has_credentials,
        }
    }

    fn endpoint(&mut self, environment: Environment) -> Option<String> {
        let endpoint = self.text("DYNAMODB_ENDPOINT")?;
        if environment == Environment::Production {
            self.fault(
                "DYNAMODB_ENDPOINT",
                "must not be set in production, where DynamoDB is at AWS",
            );
        }
        let is_http = Url::parse(&endpoint)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_http {
            self.fault(
                "DYNAMODB_ENDPOINT",
                "must be a URL such as http://localhost:8001",
            );
        }
        Some(endpoint)
    }

    fn api_key(&mut self, environment: Environment) -> SecretString {
        let key = self.text("CLARITY_API_KEY");
        if key
            .as_ref()
            .is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            self.fault(
                "CLARITY_API_KEY",
                "must be visible ASCII characters, as it travels in a header",
            );
        }
        if environment == Environment::Production {
            match key.as_deref() {
                None => self.fault("CLARITY_API_KEY", "must be set in production"),
                Some(DEVELOPMENT_KEY) => self.fault(
                    "CLARITY_API_KEY",
                    "must not be the development key in production",
                ),
                Some(key) if key.len() < SHORTEST_PRODUCTION_KEY => self.fault(
                    "CLARITY_API_KEY",
                    format!(
                        "must have at least {SHORTEST_PRODUCTION_KEY} characters in production; make one with: openssl rand -hex 32"
                    ),
                ),
                Some(_) => {}
            }
        }
        key.unwrap_or_else(|| DEVELOPMENT_KEY.to_owned()).into()
    }

    fn log_filter(&mut self) -> String {
        let filter = self.text("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        if EnvFilter::try_new(&filter).is_err() {
            self.fault(
                "RUST_LOG",
                "must be a level such as info or debug, or a list of target=level",
            );
        }
        filter
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigFaults> {
        Config::read(|name| {
            variables
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| value.into())
        })
    }

    fn faulty_variables(variables: &[(&str, &str)]) -> Vec<&'static str> {
        let faults = read(variables).unwrap_err().0;
        faults.iter().map(|fault| fault.variable).collect()
    }

    #[test]
    fn nothing_set_is_a_service_for_ones_own_machine() {
        let config = read(&[]).unwrap();
        assert_eq!(config.environment, Environment::Development);
        assert_eq!(config.address.to_string(), "127.0.0.1:8000");
        assert_eq!(
            config.store,
            StoreConfig::Embedded {
                directory: "clarity-data".into()
            }
        );
        assert!(config.uses_development_key());
    }

    #[test]
    fn an_endpoint_or_production_selects_dynamodb() {
        let local = read(&[("DYNAMODB_ENDPOINT", "http://localhost:8001")]).unwrap();
        assert!(
            matches!(local.store, StoreConfig::DynamoDb { region, .. } if region == "us-east-1")
        );
        let key = "0123456789abcdef0123456789abcdef";
        let production = read(&[
            ("ENVIRONMENT", "production"),
            ("AWS_REGION", "eu-central-1"),
            ("CLARITY_API_KEY", key),
        ])
        .unwrap();
        assert!(matches!(production.store, StoreConfig::DynamoDb { .. }));
        assert_eq!(production.address.to_string(), "0.0.0.0:8000");
        assert!(!format!("{production:?}").contains(key));
        let embedded = read(&[
            ("DYNAMODB_ENDPOINT", "http://localhost:8001"),
            ("CLARITY_STORE", "embedded"),
        ]);
        assert!(matches!(
            embedded.unwrap().store,
            StoreConfig::Embedded { .. }
        ));
    }

    #[test]
    fn all_faults_come_at_once_and_repeat_no_value() {
        let variables = [
            ("ENVIRONMENT", "staging-secret"),
            ("HOST", "nowhere-secret"),
            ("PORT", "70000-secret"),
            ("CLARITY_STORE", "oracle-secret"),
            ("DYNAMODB_ENDPOINT", "secret"),
            ("CLARITY_API_KEY", "a key with spaces secret"),
            ("RUST_LOG", "secret=loud"),
        ];
        assert_eq!(
            faulty_variables(&variables),
            [
                "ENVIRONMENT",
                "HOST",
                "PORT",
                "DYNAMODB_ENDPOINT",
                "CLARITY_STORE",
                "CLARITY_API_KEY",
                "RUST_LOG"
            ]
        );
        assert!(!read(&variables).unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn production_refuses_what_is_convenient() {
        let with_key = |key| {
            [
                ("ENVIRONMENT", "production"),
                ("AWS_REGION", "eu-central-1"),
                ("CLARITY_API_KEY", key),
            ]
        };
        assert_eq!(faulty_variables(&with_key("")), ["CLARITY_API_KEY"]);
        assert_eq!(
            faulty_variables(&with_key(DEVELOPMENT_KEY)),
            ["CLARITY_API_KEY"]
        );
        assert_eq!(faulty_variables(&with_key("short")), ["CLARITY_API_KEY"]);
        assert_eq!(
            faulty_variables(&[
                ("ENVIRONMENT", "production"),
                ("DYNAMODB_ENDPOINT", "http://localhost:8001"),
                ("DYNAMODB_TABLE", "a b"),
            ]),
            ["DYNAMODB_ENDPOINT", "DYNAMODB_TABLE", "CLARITY_API_KEY"]
        );
    }
}
