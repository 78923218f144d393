//! What is logged, and what never is.
//!
//! Text is constant and what varies is in fields; no reading, no user id, no
//! key and no question is ever one of them. Libraries do log such things on
//! their verbose levels, so from them only warnings pass, whatever `RUST_LOG`
//! asks for.
//!
//! Lines are written to standard error by the thread that logs them: a queue
//! between would have to drop lines or wait when it is full, and events of the
//! audit may not be lost.

use std::io::IsTerminal;
use std::panic;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use super::TelemetrySettings;
use super::metrics::names;

/// The target of audit events, which are logged whatever `RUST_LOG` says.
pub const AUDIT: &str = "audit";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// As JSON objects, for machines.
    Json,
    /// As text, for people.
    Text,
}

/// Writes events as lines to standard error. Spans are none of its business:
/// they cost nothing unless traces want them, and none of their attributes
/// gets into a line.
pub(super) fn layer<S>(settings: &TelemetrySettings) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted = EnvFilter::new(&settings.log_filter);
    let allowed = Targets::new()
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::TRACE)
        .with_default(LevelFilter::WARN);
    let audit = Targets::new().with_target(AUDIT, LevelFilter::INFO);
    let events = filter_fn(|metadata| metadata.is_event());
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let lines = match settings.log_format {
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
        LogFormat::Text => lines.with_target(false).boxed(),
    };
    lines.with_filter(wanted.and(allowed).or(audit).and(events))
}

/// Logs where a panic happened, but not its message, which may quote data.
pub(super) fn install_panic_hook() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        ::metrics::counter!(names::PANICS.name).increment(1);
        tracing::error!(place, "panicked");
    }));
}
