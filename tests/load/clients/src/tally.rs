use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// Delay beyond which a request of an open loop counts as late, which is the client's fault.
const LATE: Duration = Duration::from_millis(20);

/// Time that is measured.
#[derive(Clone, Copy)]
pub struct Window {
    pub start: Instant,
    pub end: Instant,
}

impl Window {
    fn contains(&self, instant: Instant) -> bool {
        (self.start..self.end).contains(&instant)
    }
}

/// Results of a class.
pub struct Tally {
    window: Window,
    counts: Mutex<Counts>,
}

/// Requests count if they started in the window; goodput and bytes, if they finished or
/// were sent in it.
#[derive(Default)]
struct Counts {
    started: usize,
    late: usize,
    statuses: BTreeMap<u16, usize>,
    errors: BTreeMap<String, usize>,
    finished: usize,
    /// Rejections after the body was begun, at any time.
    rejected_begun: usize,
    /// Microseconds.
    accepted: Vec<u32>,
    rejected: Vec<u32>,
    sent_bytes: usize,
    stored_bytes: usize,
    received_bytes: usize,
}

/// Request in flight.
pub struct Attempt<'a> {
    tally: &'a Tally,
    start: Instant,
    counts: bool,
    sent: AtomicUsize,
    sent_in_window: AtomicUsize,
}

/// Progress of the body of a request.
pub struct Upload<'a>(&'a Attempt<'a>);

/// End of a request.
pub enum Outcome {
    Response {
        status: u16,
        begun: bool,
        bytes: usize,
    },
    Error(&'static str),
}

impl Outcome {
    pub fn error(error: &io::Error) -> Self {
        Self::Error(match error.kind() {
            io::ErrorKind::UnexpectedEof => "closed",
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "reset",
            _ => "other",
        })
    }
}

impl Upload<'_> {
    pub fn sent(&self, bytes: usize) {
        let Attempt { tally, .. } = self.0;
        self.0.sent.fetch_add(bytes, Ordering::Relaxed);
        if tally.window.contains(Instant::now()) {
            self.0.sent_in_window.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub fn bytes(&self) -> usize {
        self.0.sent.load(Ordering::Relaxed)
    }
}

impl<'a> Attempt<'a> {
    pub fn upload(&'a self) -> Upload<'a> {
        Upload(self)
    }

    pub fn finish(&self, outcome: Outcome) {
        let end = Instant::now();
        let mut counts = self.tally.counts();
        let microseconds = u32::try_from((end - self.start).as_micros()).unwrap_or(u32::MAX);
        match outcome {
            Outcome::Response {
                status,
                begun,
                bytes,
            } => {
                let is_accepted = status < 400;
                counts.received_bytes += bytes;
                if is_accepted {
                    counts.finished += usize::from(self.tally.window.contains(end));
                    counts.stored_bytes += self.sent_in_window.load(Ordering::Relaxed);
                } else {
                    counts.rejected_begun += usize::from(begun);
                }
                if self.counts {
                    *counts.statuses.entry(status).or_default() += 1;
                    if is_accepted {
                        counts.accepted.push(microseconds);
                    } else {
                        counts.rejected.push(microseconds);
                    }
                }
            }
            Outcome::Error(error) if self.counts => {
                *counts.errors.entry(error.to_owned()).or_default() += 1;
            }
            Outcome::Error(_) => {}
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let sent = self.sent_in_window.load(Ordering::Relaxed);
        self.tally.counts().sent_bytes += sent;
    }
}

impl Tally {
    pub fn new(window: Window) -> Self {
        Self {
            window,
            counts: Mutex::default(),
        }
    }

    /// Starts a request that was due at `due`.
    pub fn start(&self, due: Instant) -> Attempt<'_> {
        let start = Instant::now();
        let is_counted = self.window.contains(start);
        if is_counted {
            let mut counts = self.counts();
            counts.started += 1;
            counts.late += usize::from(start - due > LATE);
        }
        Attempt {
            tally: self,
            start,
            counts: is_counted,
            sent: AtomicUsize::new(0),
            sent_in_window: AtomicUsize::new(0),
        }
    }

    pub fn results(&self) -> Value {
        let mut counts = self.counts();
        let seconds = (self.window.end - self.window.start).as_secs_f64();
        let answered: usize = counts.statuses.values().sum();
        let failed: usize = counts.errors.values().sum();
        let [accepted, rejected] = [
            std::mem::take(&mut counts.accepted),
            std::mem::take(&mut counts.rejected),
        ]
        .map(latencies);
        json!({
            "seconds": seconds,
            "started": counts.started,
            "late": counts.late,
            "unfinished": counts.started - answered - failed,
            "statuses": counts.statuses,
            "errors": counts.errors,
            "offered": counts.started as f64 / seconds,
            "goodput": counts.finished as f64 / seconds,
            "rejected_begun": counts.rejected_begun,
            "accepted_ms": accepted,
            "rejected_ms": rejected,
            "sent_bytes": counts.sent_bytes,
            "stored_bytes": counts.stored_bytes,
            "received_bytes": counts.received_bytes,
        })
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Percentiles in milliseconds; null without a request.
fn latencies(mut microseconds: Vec<u32>) -> Value {
    microseconds.sort_unstable();
    let at = |share: f64| {
        let rank = (microseconds.len() as f64 * share) as usize;
        let index = rank.min(microseconds.len().saturating_sub(1));
        microseconds
            .get(index)
            .map(|&value| f64::from(value) / 1000.0)
    };
    json!({"p50": at(0.5), "p99": at(0.99), "max": at(1.0)})
}
