use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::error::CommandError;
use super::stop_signals::{StopSignals, exit_after};
use crate::app::{self, App};
use crate::config::{self, Config, DEVELOPMENT_KEY};
use crate::telemetry::Telemetry;

/// Maximum number of threads per core for work that blocks or takes long: the disk,
/// parsing and analyses. Each holds a page of readings or more, so Tokio's default of
/// 512 could exhaust the memory of a small container.
const BLOCKING_THREADS_PER_CORE: usize = 8;

/// Niceness of those threads. Linux weighs each step by a factor of 1.25, so five leave
/// them a third of the weight of a thread that serves.
const NICENESS: i32 = 5;

/// Time allowed for blocking threads to finish after the service has stopped.
const RUNTIME_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves requests until the first stop signal, then shuts down gracefully. A second
/// signal terminates at once.
pub(super) fn run() -> Result<(), CommandError> {
    let config = Config::read(config::variable)?;
    let workers = available_parallelism().map_or(1, usize::from);
    let started = AtomicUsize::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS_PER_CORE * workers.min(16))
        // The workers are started first, by `build`.
        .on_thread_start(move || {
            if started.fetch_add(1, Ordering::Relaxed) >= workers {
                lower_priority();
            }
        })
        .enable_all()
        .build()?;
    let served = runtime.block_on(run_with_telemetry(&config));
    runtime.shutdown_timeout(RUNTIME_SHUTDOWN_TIMEOUT);
    served
}

/// Lets the threads that serve requests go before this one, which does work of many
/// milliseconds: it gets about a quarter of a core for which both compete.
fn lower_priority() {
    // On Linux this is the priority of the thread. A failure costs latency alone.
    let _ = rustix::process::nice(NICENESS);
}

/// Serves with logs, metrics and traces.
async fn run_with_telemetry(config: &Config) -> Result<(), CommandError> {
    let mut signals = StopSignals::listen()?;
    let telemetry = Telemetry::start(&config.telemetry)?;
    let metrics = telemetry.metrics().clone();
    let served = tokio::select! {
        served = serve(config, &mut signals) => served,
        never = metrics.run_upkeep() => match never {},
        failed = app::serve_metrics(config.telemetry.metrics.address, &metrics) => {
            failed.map(|never| match never {})
        }
    };
    telemetry.finish().await;
    served
}

async fn serve(config: &Config, signals: &mut StopSignals) -> Result<(), CommandError> {
    let listener = TcpListener::bind(config.address).await.map_err(|error| {
        let advice = match error.kind() {
            ErrorKind::AddrInUse => "stop the process that uses the port, or set PORT to another",
            _ => "set HOST to an address of this host and PORT to a port that this user may bind",
        };
        format!("cannot listen on {}: {error}; {advice}", config.address)
    })?;
    let address = listener.local_addr()?;
    let app = tokio::select! {
        app = App::build(config) => app?,
        () = signals.next() => {
            tracing::info!("stopped during startup");
            return Ok(());
        }
    };
    let gemini = config.insights.gemini.as_ref();
    tracing::info!(
        %address,
        environment = config.environment.as_str(),
        model = gemini.map_or("none", |gemini| gemini.model.as_str()),
        "serving"
    );
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    if config.uses_development_key() {
        if !address.ip().is_loopback() {
            tracing::warn!(
                "the service is reachable from other hosts with the public development key: set CLARITY_API_KEY"
            );
        }
        // Standard output may be closed.
        let _ = print_banner(address);
    }
    let (stopping, stop) = oneshot::channel::<()>();
    let signal_handler = async {
        signals.next().await;
        exit_after(config.shutdown.deadline);
        drop(stopping);
        signals.next().await;
    };
    tokio::select! {
        () = app.serve(listener, async { stop.await.unwrap_or_default() }) => {}
        () = signal_handler => tracing::warn!("second signal: terminated without draining"),
    }
    Ok(())
}

/// Prints how to try a development service.
fn print_banner(address: SocketAddr) -> std::io::Result<()> {
    let url = format!("http://{address}");
    writeln!(
        std::io::stdout(),
        r#"
Clarity backend at {url}, with the key {DEVELOPMENT_KEY}. Documentation: {url}/docs

curl -X POST {url}/api/v1/data \
  -H 'Content-Type: application/json' -H 'X-API-Key: {DEVELOPMENT_KEY}' \
  -d '{{"user_id":"user123","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:30:00Z"}}'
"#
    )
}
