//! What is logged, and what never is.
//!
//! Text is constant and what varies is in fields; no reading, no user id, no
//! key and no question is ever one of them. Libraries do log such things on
//! their verbose levels, so from them only warnings pass, whatever `RUST_LOG`
//! asks for.

use std::error::Error;
use std::io::IsTerminal;
use std::iter;
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Environment;

/// The target of audit events, which are logged whatever `RUST_LOG` says.
pub const AUDIT: &str = "audit";

/// Starts logging to standard error: JSON in production, text in development.
///
/// `filter` is in the syntax of `RUST_LOG`.
pub fn start(environment: Environment, filter: &str) {
    let wanted = EnvFilter::new(filter);
    let allowed = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::TRACE)
        .with_default(LevelFilter::WARN);
    let audit = Targets::new().with_target(AUDIT, LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match environment {
        Environment::Production => lines.json().flatten_event(true).boxed(),
        Environment::Development => lines.with_target(false).boxed(),
    };
    tracing_subscriber::registry()
        .with(lines.with_filter(wanted.and(allowed).or(audit)))
        .init();
    report_panics();
}

/// Logs where a panic happened, but not its message, which may quote data.
fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panicked");
    }));
}

/// An error and what caused it, outermost first.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
