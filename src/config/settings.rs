//! Table of the environment variables that the service reads.
//!
//! It is the single place for a variable's name, default and range: the reader
//! takes both from here, and `--help` and `docs/reference/settings.md` are
//! generated from it. The reader accepts nothing but an entry of this table.

use std::fmt;
use std::ops::RangeInclusive;

use super::environment::{DEVELOPMENT_KEY, Environment};

/// Environment variable of the service.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    name: &'static str,
    group: Group,
    meaning: &'static str,
    default: &'static str,
    production_default: Option<&'static str>,
    default_note: &'static str,
    range: (u64, u64),
    is_secret: bool,
}

/// Part of the service that a variable belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Environment and address.
    Service,
    /// API keys, tokens and signing secrets.
    Access,
    /// Rate limits, proxies and browsers.
    Clients,
    /// Store and AWS.
    Storage,
    /// Gemini and the deadline of an answer.
    Insights,
    /// Connections, deadlines and shutdown.
    Lifecycle,
    /// Logs, metrics and traces.
    Observability,
}

impl Group {
    /// Groups in the order in which they are listed.
    pub const ALL: [Self; 7] = [
        Self::Service,
        Self::Access,
        Self::Clients,
        Self::Storage,
        Self::Insights,
        Self::Lifecycle,
        Self::Observability,
    ];

    /// Heading of the group.
    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Access => "Keys and tokens",
            Self::Clients => "Rate limits and browsers",
            Self::Storage => "Storage",
            Self::Insights => "Insights",
            Self::Lifecycle => "Connections, deadlines and shutdown",
            Self::Observability => "Observability",
        }
    }
}

impl Setting {
    const fn new(name: &'static str, group: Group, meaning: &'static str) -> Self {
        Self {
            name,
            group,
            meaning,
            default: "",
            production_default: None,
            default_note: "",
            range: (0, u64::MAX),
            is_secret: false,
        }
    }

    const fn default_to(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    const fn in_production(self, default: &'static str) -> Self {
        Self {
            production_default: Some(default),
            ..self
        }
    }

    const fn default_note(self, default_note: &'static str) -> Self {
        Self {
            default_note,
            ..self
        }
    }

    const fn range(self, min: u64, max: u64) -> Self {
        Self {
            range: (min, max),
            ..self
        }
    }

    const fn secret(self) -> Self {
        Self {
            is_secret: true,
            ..self
        }
    }

    /// Name of the variable.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Group that it is listed in.
    pub fn group(&self) -> Group {
        self.group
    }

    /// Meaning and accepted values, with code in backticks.
    pub fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// Value used if the variable is unset or empty; empty if there is none.
    pub fn default_in(&self, environment: Environment) -> &'static str {
        match (environment, self.production_default) {
            (Environment::Production, Some(default)) => default,
            _ => self.default,
        }
    }

    /// Accepted numbers, for a numeric setting.
    pub fn allowed(&self) -> RangeInclusive<u64> {
        let (min, max) = self.range;
        min..=max
    }

    /// True if the value must not be shown or committed.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// Default for readers: the value in development, that in production where
    /// it differs, and conditions. Empty if there is no default.
    pub fn describe_default(&self) -> String {
        let development = match self.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        let production = match self.production_default {
            None => String::new(),
            Some("") => "none in production".to_owned(),
            Some(default) => format!("in production `{default}`"),
        };
        let parts = [development, production, self.default_note.to_owned()];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("; ")
    }

    /// Meaning followed by the range of a numeric setting.
    pub fn describe(&self) -> String {
        let (min, max) = self.range;
        let range = match max {
            u64::MAX => String::new(),
            _ => format!(" ({min} to {max})"),
        };
        let secret = if self.is_secret { ". Secret" } else { "" };
        format!("{}{range}{secret}", self.meaning)
    }
}

/// Name of the variable.
impl fmt::Display for Setting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Defines a constant per variable, and the table of all.
macro_rules! settings {
    ($($group:ident { $($name:ident: $meaning:literal $(. $modifier:ident ($($argument:expr),*))*;)+ })+) => {
        $($(
            #[doc = $meaning]
            pub const $name: Setting =
                Setting::new(stringify!($name), Group::$group, $meaning)
                    $(.$modifier($($argument),*))*;
        )+)+

        /// Every environment variable that the service reads, by group.
        pub const SETTINGS: &[Setting] = &[$($($name),+),+];
    };
}

settings! {
    Service {
        ENVIRONMENT: "`development` or `production`. Production requires a key or an issuer of tokens, creates no table, and rejects local endpoints"
            .default_to("development");
        HOST: "IP address to listen on, or `localhost`"
            .default_to("127.0.0.1").in_production("0.0.0.0");
        PORT: "Port to listen on; 0 selects a free port"
            .default_to("8000").range(0, 65_535);
    }
    Access {
        CLARITY_API_KEY: "API key with full access, or several separated by commas during a rotation; at least 20 characters each in production"
            .default_to(DEVELOPMENT_KEY).in_production("").default_note("none if a list of keys is set").secret();
        CLARITY_API_KEYS: "JSON array of keys with scopes and users, as printed by `clarity-backend keys new`"
            .secret();
        CLARITY_API_KEYS_FILE: "File with that array, reloaded every minute; instead of `CLARITY_API_KEYS`";
        CLARITY_API_KEYS_SECRET: "Name or ARN of an AWS Secrets Manager secret with that array, reloaded every minute; instead of `CLARITY_API_KEYS`. Requires `secretsmanager:GetSecretValue` on it";
        SECRETS_MANAGER_ENDPOINT: "URL of a local Secrets Manager emulator; rejected in production";
        COGNITO_USER_POOL_ID: "Amazon Cognito user pool in `AWS_REGION` whose tokens are accepted; set with `COGNITO_CLIENT_IDS`";
        COGNITO_CLIENT_IDS: "App client ids of the user pool, separated by commas";
        JWT_ISSUER: "Issuer URL of accepted tokens, exactly as in `iss`; set with `JWT_AUDIENCE`, instead of a user pool";
        JWT_AUDIENCE: "Audience that `aud` must contain";
        JWKS_URL: "URL of the issuer's key set"
            .default_note("the issuer's `/.well-known/jwks.json`");
        CLARITY_SERVICE_SECRET: "Secret that signs cursors and derives pseudonyms in audit events, the same for all tasks. Several are separated by commas: the first signs, the others still verify. In production the first has at least 32 characters, and one is required without `CLARITY_API_KEY`"
            .default_note("the value of `CLARITY_API_KEY`").secret();
    }
    Clients {
        RATE_LIMIT_READS: "Reads per minute and principal, or `off`"
            .default_to("off").in_production("600").range(1, 1_000_000);
        RATE_LIMIT_WRITES: "Writes and deletions per minute and principal, or `off`; a batch counts as one"
            .default_to("off").in_production("1200").range(1, 1_000_000);
        RATE_LIMIT_INSIGHTS: "Questions per minute and principal, or `off`"
            .default_to("off").in_production("30").range(1, 1_000_000);
        RATE_LIMIT_FAILED_AUTHENTICATIONS: "Failed authentications per minute and client address (IPv6: /64 network), or `off`"
            .default_to("off").in_production("20").range(1, 1_000_000);
        TRUSTED_PROXIES: "Addresses or networks, separated by commas, of proxies whose `X-Forwarded-For` is trusted, such as the load balancer's `10.0.0.0/16`";
        CORS_ALLOWED_ORIGINS: "Origins of web pages that may call the API, separated by commas, such as `https://app.example.com`; `localhost` for pages of this machine on any port; or `*`. Cookies are not used"
            .default_to("localhost").in_production("");
    }
    Storage {
        CLARITY_STORE: "`embedded` or `dynamodb`"
            .default_to("embedded").in_production("dynamodb").default_note("`dynamodb` if `DYNAMODB_ENDPOINT` is set");
        CLARITY_DATA_DIR: "Directory of the embedded store"
            .default_to("clarity-data");
        DYNAMODB_TABLE: "Name of the DynamoDB table"
            .default_to("clarity-health-data");
        DYNAMODB_ENDPOINT: "URL of DynamoDB Local; rejected in production";
        AWS_REGION: "AWS region of the table, the secret and the user pool, such as `eu-central-1`; required for what is at AWS";
        AWS_ACCESS_KEY_ID: "Access key for AWS, with `AWS_SECRET_ACCESS_KEY`; any source of the AWS SDK works"
            .default_note("placeholder credentials if `DYNAMODB_ENDPOINT` is set").secret();
        AWS_PROFILE: "Profile of the AWS SDK that has the credentials";
    }
    Insights {
        GEMINI_API_KEY: "Gemini API key; without one, answers are purely statistical"
            .secret();
        GEMINI_MODEL: "Gemini model"
            .default_to("gemini-3.5-flash-lite");
        GEMINI_FALLBACK_MODEL: "Model used if the first one is unavailable";
        GEMINI_BASE_URL: "HTTPS URL of the Gemini API; in development also HTTP on this host"
            .default_to("https://generativelanguage.googleapis.com");
        GEMINI_API_VERSION: "Version of the Gemini API"
            .default_to("v1beta");
        INSIGHT_DEADLINE: "Seconds within which a question is answered"
            .default_to("25").range(2, 55);
        INSIGHT_CACHE_TTL: "Seconds for which Gemini's answers are cached; 0 disables the cache"
            .default_to("600").range(0, 86_400);
    }
    Lifecycle {
        MAX_CONNECTIONS: "Maximum number of open connections; further clients wait in the accept queue"
            .default_to("4500").range(1, 65_535);
        IDLE_TIMEOUT: "Seconds that a connection may be idle between requests; longer than the load balancer's idle timeout"
            .default_to("75").range(1, 3_600);
        WRITE_TIMEOUT: "Seconds of waiting for a client over which it must take at least 4 KiB of a response a second, else the connection is closed"
            .default_to("30").range(1, 600);
        DATA_DEADLINE: "Seconds for storing, reading or deleting readings"
            .default_to("5").range(1, 55);
        BULK_DEADLINE: "Seconds for a batch, export, summary or erasure; a summary ends after 25 at the latest, an erasure after 20"
            .default_to("60").range(1, 600);
        SHUTDOWN_GRACE: "Seconds to keep serving after SIGTERM while `/health/ready` returns 503, so that load balancers stop routing first"
            .default_to("0").in_production("5").range(0, 60);
        SHUTDOWN_DEADLINE: "Seconds after SIGTERM at which the process exits, even with requests in flight; longer than `SHUTDOWN_GRACE`"
            .default_to("25").range(1, 115);
    }
    Observability {
        RUST_LOG: "Log level, or a list of `target=level`"
            .default_to("info");
        LOG_FORMAT: "`json` or `text`"
            .default_to("text").in_production("json");
        METRICS_ADDR: "Address and port of the Prometheus endpoint, such as `0.0.0.0:9090`; must not be reachable publicly";
        METRICS_EMF: "`true` writes CloudWatch metrics (EMF) to standard output every minute"
            .default_to("false");
        OTEL_EXPORTER_OTLP_ENDPOINT: "URL of an OTLP collector for traces (HTTP with protobuf), such as `http://localhost:4318`";
        CLARITY_REVISION: "Source revision of the build, reported in metrics"
            .default_note("`unknown`; images set it");
    }
}
