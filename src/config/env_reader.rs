use std::ffi::OsString;
use std::time::Duration;

use url::Url;

use super::environment::Environment;
use super::errors::ConfigErrors;
use super::settings::{self, Setting};

/// Reads variables and collects errors. An invalid variable yields a
/// placeholder, so that the others are checked too.
pub(super) struct EnvReader<V> {
    variable: V,
    environment: Environment,
    errors: ConfigErrors,
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    /// Reads `ENVIRONMENT`, which selects the defaults of the other variables.
    pub(super) fn new(variable: V) -> Self {
        let mut reader = Self {
            variable,
            environment: Environment::Development,
            errors: ConfigErrors::default(),
        };
        match reader.value(&settings::ENVIRONMENT).as_deref() {
            Some("development") => {}
            Some("production") => reader.environment = Environment::Production,
            _ => reader.error(&settings::ENVIRONMENT, "must be development or production"),
        }
        reader
    }

    pub(super) fn environment(&self) -> Environment {
        self.environment
    }

    pub(super) fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Returns what was read, unless any variable was invalid.
    pub(super) fn finish<T>(self, config: T) -> Result<T, ConfigErrors> {
        if self.errors.is_empty() {
            Ok(config)
        } else {
            Err(self.errors)
        }
    }

    pub(super) fn error(&mut self, setting: &Setting, remedy: impl Into<String>) {
        self.errors.push(setting, remedy);
    }

    /// Returns the variable's value; an empty one counts as unset.
    fn os_text(&self, setting: &Setting) -> Option<OsString> {
        (self.variable)(setting.name()).filter(|value| !value.is_empty())
    }

    pub(super) fn is_set(&self, setting: &Setting) -> bool {
        self.os_text(setting).is_some()
    }

    /// Returns the variable's value, without a default.
    pub(super) fn text(&mut self, setting: &Setting) -> Option<String> {
        match self.os_text(setting)?.into_string() {
            Ok(text) => Some(text),
            Err(_) => {
                self.error(setting, "must be UTF-8 text");
                None
            }
        }
    }

    /// Returns the variable's value or its default, if there is either.
    pub(super) fn value(&mut self, setting: &Setting) -> Option<String> {
        self.text(setting).or_else(|| self.default(setting))
    }

    /// Returns the value of a variable that has a default.
    pub(super) fn value_or_default(&mut self, setting: &Setting) -> String {
        self.value(setting).unwrap_or_default()
    }

    /// Returns the variable's value or its default, which need not be UTF-8.
    pub(super) fn path(&self, setting: &Setting) -> OsString {
        let default = || setting.default_in(self.environment).into();
        self.os_text(setting).unwrap_or_else(default)
    }

    fn default(&self, setting: &Setting) -> Option<String> {
        let default = setting.default_in(self.environment);
        (!default.is_empty()).then(|| default.to_owned())
    }

    /// Reads a number in the setting's range.
    pub(super) fn number(&mut self, setting: &Setting) -> u64 {
        self.number_of(setting, "a number")
    }

    /// Reads a number of seconds in the setting's range.
    pub(super) fn seconds(&mut self, setting: &Setting) -> Duration {
        Duration::from_secs(self.number_of(setting, "a number of seconds"))
    }

    fn number_of(&mut self, setting: &Setting, what: &str) -> u64 {
        let allowed = setting.allowed();
        let number = self.value_or_default(setting).parse().ok();
        number
            .filter(|number| allowed.contains(number))
            .unwrap_or_else(|| {
                let (min, max) = allowed.into_inner();
                self.error(setting, format!("must be {what} from {min} to {max}"));
                // The default, so that checks against other settings still make sense.
                setting
                    .default_in(self.environment())
                    .parse()
                    .unwrap_or(min)
            })
    }

    pub(super) fn bool(&mut self, setting: &Setting) -> bool {
        match self.value_or_default(setting).as_str() {
            "false" => false,
            "true" => true,
            _ => {
                self.error(setting, "must be true or false");
                false
            }
        }
    }

    /// Reads the AWS region. Local emulators accept any.
    pub(super) fn region(&mut self, is_local: bool) -> String {
        const LOCAL_REGION: &str = "us-east-1";
        let is_name = |region: &str| {
            region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        match self.text(&settings::AWS_REGION) {
            Some(region) if is_name(&region) => region,
            Some(_) => {
                self.error(
                    &settings::AWS_REGION,
                    "must be a region such as eu-central-1",
                );
                String::new()
            }
            None if is_local => LOCAL_REGION.to_owned(),
            None => {
                self.error(
                    &settings::AWS_REGION,
                    "must be set to use AWS, to a region such as eu-central-1",
                );
                String::new()
            }
        }
    }

    /// Reads the URL of a local AWS emulator.
    pub(super) fn endpoint(&mut self, setting: &Setting) -> Option<String> {
        let endpoint = self.text(setting)?;
        if self.is_production() {
            self.error(setting, "must not be set in production, which uses AWS");
            return None;
        }
        let is_http = Url::parse(&endpoint)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !is_http {
            self.error(setting, "must be a URL such as http://localhost:8001");
        }
        Some(endpoint)
    }
}
