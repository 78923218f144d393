use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::errors::ConfigErrors;
use super::{Environment, StoreConfig, TableConfig};

/// Reads variables and gathers faults; a faulty one yields a stand-in, so that
/// the others are read too.
pub(super) struct EnvReader<V> {
    variable: V,
    errors: ConfigErrors,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(super) fn new(variable: V) -> Self {
        Self {
            variable,
            errors: ConfigErrors::default(),
        }
    }

    /// What was made of the values read, unless any was at fault.
    pub(super) fn finish<T>(self, made: T) -> Result<T, ConfigErrors> {
        if self.errors.variables().next().is_none() {
            Ok(made)
        } else {
            Err(self.errors)
        }
    }

    pub(super) fn error(&mut self, variable: &'static str, advice: impl Into<String>) {
        self.errors.add(variable, advice);
    }

    pub(super) fn text(&mut self, variable: &'static str) -> Option<String> {
        let value = (self.variable)(variable).filter(|value| !value.is_empty())?;
        match value.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                self.error(variable, "must be UTF-8 text");
                None
            }
        }
    }

    pub(super) fn environment(&mut self) -> Environment {
        match self.text("ENVIRONMENT").as_deref() {
            None | Some("development") => Environment::Development,
            Some("production") => Environment::Production,
            Some(_) => {
                self.error("ENVIRONMENT", "must be development or production");
                Environment::Development
            }
        }
    }

    pub(super) fn address(&mut self, environment: Environment) -> SocketAddr {
        // A service with a key that everybody knows is for its own machine.
        let default_host = match environment {
            Environment::Development => Ipv4Addr::LOCALHOST,
            Environment::Production => Ipv4Addr::UNSPECIFIED,
        };
        let host = match self.text("HOST").as_deref() {
            None => default_host.into(),
            Some("localhost") => Ipv4Addr::LOCALHOST.into(),
            Some(host) => host.parse::<IpAddr>().unwrap_or_else(|_| {
                self.error(
                    "HOST",
                    "must be an IP address such as 127.0.0.1, or 0.0.0.0 for all",
                );
                default_host.into()
            }),
        };
        let port = match self.text("PORT") {
            None => 8000,
            Some(port) => port.parse().unwrap_or_else(|_| {
                self.error(
                    "PORT",
                    "must be a number from 0 to 65535; 0 takes any free port",
                );
                0
            }),
        };
        SocketAddr::new(host, port)
    }

    pub(super) fn store(&mut self, environment: Environment) -> StoreConfig {
        let endpoint = self.endpoint("DYNAMODB_ENDPOINT", environment);
        let kind = self.text("CLARITY_STORE");
        let default_kind = if environment == Environment::Production || endpoint.is_some() {
            "dynamodb"
        } else {
            "embedded"
        };
        let kind = match kind.as_deref() {
            Some(kind @ ("dynamodb" | "embedded")) => kind,
            Some(_) => {
                self.error("CLARITY_STORE", "must be embedded or dynamodb");
                default_kind
            }
            None => default_kind,
        };
        if kind == "dynamodb" {
            StoreConfig::DynamoDb(self.dynamodb(endpoint))
        } else {
            self.embedded()
        }
    }

    fn embedded(&mut self) -> StoreConfig {
        let directory = (self.variable)("CLARITY_DATA_DIR")
            .filter(|directory| !directory.is_empty())
            .map_or_else(|| PathBuf::from("clarity-data"), PathBuf::from);
        StoreConfig::Embedded { directory }
    }

    pub(super) fn table(&mut self, environment: Environment) -> TableConfig {
        let endpoint = self.endpoint("DYNAMODB_ENDPOINT", environment);
        self.dynamodb(endpoint)
    }

    fn dynamodb(&mut self, endpoint: Option<String>) -> TableConfig {
        let table = self
            .text("DYNAMODB_TABLE")
            .unwrap_or_else(|| "clarity-health-data".to_owned());
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
        if !(3..=255).contains(&table.len())
            || !table
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        {
            self.error(
                "DYNAMODB_TABLE",
                "must be 3 to 255 of A-Z a-z 0-9 _ . -, such as clarity-health-data",
            );
        }
        let region = self.region(endpoint.is_some());
        let has_credentials = ["AWS_ACCESS_KEY_ID", "AWS_PROFILE"]
            .iter()
            .any(|name| (self.variable)(name).is_some_and(|value| !value.is_empty()));
        TableConfig {
            table,
            region,
            endpoint,
            has_credentials,
        }
    }

    /// The AWS region; services on this machine take any.
    pub(super) fn region(&mut self, is_local: bool) -> String {
        match self.text("AWS_REGION") {
            Some(region) => {
                if !region
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                {
                    self.error("AWS_REGION", "must be a region such as eu-central-1");
                }
                region
            }
            None if is_local => "us-east-1".to_owned(),
            None => {
                self.error(
                    "AWS_REGION",
                    "must be set for what is at AWS, to a region such as eu-central-1",
                );
                String::new()
            }
        }
    }

    /// Where something of AWS answers on this machine.
    pub(super) fn endpoint(
        &mut self,
        variable: &'static str,
        environment: Environment,
    ) -> Option<String> {
        let endpoint = self.text(variable)?;
        if environment == Environment::Production {
            self.error(variable, "must not be set in production, which uses AWS");
            return None;
        }
        let is_http = Url::parse(&endpoint)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_http {
            self.error(variable, "must be a URL such as http://localhost:8001");
        }
        Some(endpoint)
    }

    pub(super) fn seconds(
        &mut self,
        variable: &'static str,
        default: u64,
        allowed: RangeInclusive<u64>,
    ) -> Duration {
        let seconds = match self.text(variable) {
            None => Some(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|seconds| allowed.contains(seconds)),
        };
        Duration::from_secs(seconds.unwrap_or_else(|| {
            let (least, most) = allowed.into_inner();
            self.error(
                variable,
                format!("must be a number of seconds from {least} to {most}"),
            );
            default
        }))
    }

    pub(super) fn log_filter(&mut self) -> String {
        let filter = self.text("RUST_LOG").unwrap_or_else(|| "info".to_owned());
        // The crate would take a level with a blank for the name of a target.
        let parts: Vec<&str> = filter.split(',').map(str::trim).collect();
        // A misspelt level too, and then nothing would be logged at all.
        let names_levels = parts
            .iter()
            .all(|part| part.contains('=') || part.parse::<LevelFilter>().is_ok());
        let filter = parts.join(",");
        if !names_levels || EnvFilter::try_new(&filter).is_err() {
            self.error(
                "RUST_LOG",
                "must be a level such as info or debug, or a list of target=level",
            );
        }
        filter
    }
}
