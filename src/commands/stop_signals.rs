use std::io;
use std::process;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listener for SIGTERM and SIGINT.
pub(super) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Registers the listener; from then on the signals no longer terminate the
    /// process.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Exits the process after `deadline`, whatever is in flight: a hanging disk or
/// pipe would block the shutdown forever.
pub(super) fn exit_after(deadline: Duration) {
    thread::spawn(move || {
        thread::sleep(deadline);
        tracing::error!("shutdown deadline exceeded; exiting");
        process::exit(1);
    });
}
