//! Log lines on standard error.
//!
//! Messages are constant, and values are in fields. Readings, user ids, keys and
//! questions are never logged. As libraries log such data at verbose levels, only
//! their warnings pass, whatever `RUST_LOG` says.
//!
//! Lines are written synchronously: a full queue would have to drop or block, and
//! audit events must not be lost.

use std::io::IsTerminal;
use std::panic;

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use super::metrics::names;
use super::settings::{LogFormat, TelemetrySettings};

/// Target of audit events, which are logged whatever `RUST_LOG` says.
pub const AUDIT: &str = "audit";

/// Writes events to standard error. Spans are filtered out: they are free unless
/// traces enable them, and their attributes do not appear in log lines.
pub(super) fn layer<S>(settings: &TelemetrySettings) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let requested = EnvFilter::new(&settings.log_filter);
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
    lines.with_filter(requested.and(allowed).or(audit).and(events))
}

/// Logs and counts panics: their location, but not the message, which may contain
/// data.
pub(super) fn install_panic_hook() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        ::metrics::counter!(names::PANICS.name).increment(1);
        tracing::error!(place, "panicked");
    }));
}
