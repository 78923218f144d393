//! What the binary can be told to do.

mod healthcheck;
mod import;
mod keys;
mod serve;
mod stop_signals;

use std::error::Error;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, ConfigErrors, EnvFileError};
use crate::telemetry::error_chain;

/// Backend for health apps: takes readings from wearables, gives them back, and
/// answers questions about them.
#[derive(Debug, Parser)]
#[command(version, after_help = VARIABLES)]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve requests; this is also what happens without a command.
    Serve,
    /// Ask the service that runs with the same settings whether it lives: exit
    /// code 0 if it does, else 1.
    Healthcheck,
    /// Move readings in: from Firestore, the Python service's table, Apple
    /// Health, or files.
    Import(Box<import::Import>),
    /// Make API keys.
    #[command(subcommand)]
    Keys(keys::Keys),
}

const VARIABLES: &str = "\
Settings come from the environment, or from a file .env in the working directory:
  ENVIRONMENT        development or production [development]
  HOST               address to listen on [127.0.0.1; in production 0.0.0.0]
  PORT               port to listen on [8000]
  CLARITY_API_KEY    key with full access that clients send, or several
                     separated by commas
  CLARITY_API_KEYS   JSON array of keys with scopes, see: clarity-backend keys new
  CLARITY_API_KEYS_FILE    file with that array, read again each minute
  CLARITY_API_KEYS_SECRET  name or ARN of the secret in AWS Secrets Manager with
                     that array, read again each minute
  SECRETS_MANAGER_ENDPOINT  URL of a stand-in for it; not in production
  COGNITO_USER_POOL_ID, COGNITO_CLIENT_IDS  user pool and its clients whose
                     tokens are taken
  JWT_ISSUER, JWT_AUDIENCE  instead: any issuer of tokens, and for whom they are
  JWKS_URL           where the issuer's keys are, if not where they should be
  CLARITY_SERVICE_SECRET   what cursors and the user ids of audit events are
                     signed with [CLARITY_API_KEY]
  RATE_LIMIT_READS, RATE_LIMIT_WRITES, RATE_LIMIT_INSIGHTS  requests a minute of
                     one key or person, or off [600, 1200, 30; off in development]
  RATE_LIMIT_FAILED_AUTHENTICATIONS  a minute and client address, or off [20;
                     off in development]
  TRUSTED_PROXIES    addresses or networks of proxies whose X-Forwarded-For is
                     believed [none]
  CORS_ALLOWED_ORIGINS  origins of web pages that may talk to it, separated by
                     commas, or * [* in development, none in production]
  CLARITY_STORE      embedded or dynamodb [dynamodb in production or with
                     DYNAMODB_ENDPOINT, else embedded]
  CLARITY_DATA_DIR   directory of the embedded store [clarity-data]
  AWS_REGION         region of the table, such as eu-central-1
  DYNAMODB_TABLE     name of the table [clarity-health-data]
  DYNAMODB_ENDPOINT  URL of DynamoDB Local; not in production
  GEMINI_API_KEY     key for Gemini; without one, statistics answer questions
  GEMINI_MODEL       model to ask [gemini-3.5-flash-lite]
  GEMINI_FALLBACK_MODEL  model to ask when that one cannot answer
  GEMINI_BASE_URL    where Gemini is [https://generativelanguage.googleapis.com]
  GEMINI_API_VERSION version of its API [v1beta]
  INSIGHT_DEADLINE   seconds that an answer may take, 2 to 55 [25]
  INSIGHT_CACHE_TTL  seconds that Gemini's answers are remembered, 0 for not [600]
  MAX_CONNECTIONS    connections that may be open [4500]
  IDLE_TIMEOUT       seconds between two requests, or for the header of one [75]
  WRITE_TIMEOUT      seconds in which a client takes nothing of its answer [30]
  DATA_DEADLINE      seconds that storing, reading or deleting may take [5]
  BULK_DEADLINE      seconds that a batch, export, summary or erasure may take [60]
  SHUTDOWN_GRACE     seconds of serving on after SIGTERM, while not ready any more
                     [0; in production 5], 60 at most
  SHUTDOWN_DEADLINE  seconds after SIGTERM until it is over, whatever is in flight,
                     115 at most [25]
  RUST_LOG           what is logged, such as debug [info]
  LOG_FORMAT         json or text [text; in production json]
  METRICS_ADDR       address and port where Prometheus may ask for metrics, such
                     as 0.0.0.0:9090; keep the world from it [none]
  METRICS_EMF        true writes metrics for CloudWatch to standard output each
                     minute [false]
  OTEL_EXPORTER_OTLP_ENDPOINT  URL of what takes traces over OTLP, by HTTP [none]
  CLARITY_REVISION   revision of the source that was built, for metrics";

/// Exit code for settings that are not usable.
const EXIT_CONFIG: u8 = 2;

/// Why a command failed.
type Failure = Box<dyn Error + Send + Sync>;

impl CommandLine {
    /// Does what it says. To be called before any thread is started.
    pub fn run(self) -> ExitCode {
        let failure = match self.try_run() {
            Ok(code) => return code,
            Err(failure) => failure,
        };
        eprintln!("clarity-backend: {}", error_chain(&*failure));
        if failure.is::<ConfigErrors>() || failure.is::<EnvFileError>() {
            ExitCode::from(EXIT_CONFIG)
        } else {
            ExitCode::FAILURE
        }
    }

    fn try_run(self) -> Result<ExitCode, Failure> {
        match self.command.unwrap_or(Command::Serve) {
            // Needs no settings.
            Command::Keys(keys) => keys::run(&keys)?,
            Command::Serve => {
                config::load_env_file()?;
                serve::run()?;
            }
            Command::Healthcheck => {
                config::load_env_file()?;
                healthcheck::run()?;
            }
            Command::Import(import) => {
                config::load_env_file()?;
                return import::run(&import);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
