//! Command line of the binary.

mod error;
mod healthcheck;
mod import;
mod keys;
mod serve;
mod stop_signals;
mod unreadable;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::error::CommandError;
use crate::config::{self, ConfigErrors, EnvFileError, Group, SETTINGS};
use crate::telemetry::error_chain;

/// Backend for health apps: stores readings from wearables and answers questions
/// about them.
#[derive(Debug, Parser)]
#[command(version, after_help = settings_help())]
pub struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve the API; the default without a command.
    Serve,
    /// Check the liveness of the service on this host, with the same settings:
    /// exit code 0 if it is alive, else 1.
    Healthcheck,
    /// Import readings from Firestore, the Python service's table, Apple Health or
    /// files.
    Import(Box<import::Import>),
    /// Manage API keys.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// List a user's stored readings that cannot be decoded.
    Unreadable(unreadable::Unreadable),
}

/// Exit code for an invalid configuration.
const EXIT_CONFIG: u8 = 2;

/// Width to which help is wrapped.
const HELP_WIDTH: usize = 80;

impl CommandLine {
    /// Runs the command. Must be called before any thread is started.
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

    fn try_run(self) -> Result<ExitCode, CommandError> {
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
            Command::Unreadable(arguments) => {
                config::load_env_file()?;
                return unreadable::run(&arguments);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lists the environment variables with their defaults.
fn settings_help() -> String {
    let mut help =
        "Environment variables, also read from the file .env in the working directory:".to_owned();
    for group in Group::ALL {
        help.push_str(&format!("\n\n{}:", group.title()));
        for setting in SETTINGS.iter().filter(|setting| setting.group() == group) {
            let default = match setting.describe_default() {
                default if default.is_empty() => default,
                default => format!(" [default: {default}]"),
            };
            let text = format!("{}{default}", setting.describe()).replace('`', "");
            help.push_str(&format!("\n  {setting}\n{}", wrap(&text, 10)));
        }
    }
    help
}

/// Wraps text into indented lines.
fn wrap(text: &str, indent: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= HELP_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines.join("\n")
}
