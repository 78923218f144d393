//! Storing the batches of a source and reporting the outcome.

pub mod batch_channel;
pub mod checkpoint;
mod error;
mod migrate;
mod ordering;
pub mod outputs;
pub mod process;
pub mod progress;
pub mod report;
pub mod retry;
mod stop;
pub mod summary;
pub mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::batch_channel::BatchReceiver;
use self::checkpoint::{Checkpoint, CheckpointPosition, Job};
pub use self::error::ImportError;
use self::ordering::OrderingGate;
use self::process::{Target, process};
use self::progress::ImportProgress;
use self::report::Report;
use self::stop::batches_until_stopped;
use self::summary::ImportSummary;
use super::source_location::SourceError;

/// Interval between checkpoints, which bounds the work repeated after a crash.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(2);

/// Maximum number of source errors that are printed; the report has all.
const MAX_REPORTED_ERRORS: usize = 10;

/// Settings and state of an import that is about to run.
pub struct ImportRun {
    /// Destination of the readings.
    pub target: Target,
    /// Number of batches that are stored concurrently.
    pub concurrency: usize,
    /// Report of every record.
    pub report: Option<Report>,
    /// Path and job of the checkpoints; none for sources that cannot resume.
    pub checkpoint: Option<(PathBuf, Job)>,
    /// Position that earlier runs reached.
    pub position: CheckpointPosition,
    /// Counts of earlier runs.
    pub summary: ImportSummary,
    /// Progress display.
    pub progress: ImportProgress,
}

/// Result of an import.
pub struct ImportOutcome {
    /// Counts by outcome.
    pub summary: ImportSummary,
    /// Number of records by the count of the source's reader, including earlier
    /// runs.
    pub read: u64,
    /// True if it was interrupted.
    pub was_interrupted: bool,
    /// The first source errors.
    pub errors: Vec<SourceError>,
    /// Error that ended it, if any.
    pub failure: Option<ImportError>,
}

impl ImportOutcome {
    /// Returns whether the count of the source's reader equals the counted
    /// outcomes. Anything else is a bug.
    pub fn is_balanced(&self) -> bool {
        self.read == self.summary.records()
    }

    /// Returns whether every record is accounted for and the source has no errors.
    pub fn is_complete(&self) -> bool {
        self.is_balanced() && self.summary.damaged == 0
    }
}

/// Imports `batches` until they end or `stop` is set.
///
/// Everything stored remains stored in any case; everything before the last
/// checkpoint is also in the report.
pub async fn run(batches: BatchReceiver, run: ImportRun, stop: Arc<AtomicBool>) -> ImportOutcome {
    let read = Arc::clone(&batches.read);
    let end = Arc::clone(&batches.end);
    let before = run.summary.records();
    let mut running = RunningImport {
        report: run.report,
        checkpoint: run.checkpoint,
        position: run.position,
        summary: run.summary,
        errors: Vec::new(),
        last_checkpoint: None,
    };
    let result = running
        .process_batches(batches, &run.target, run.concurrency, run.progress, &stop)
        .await;
    let was_interrupted = stop.load(Ordering::Relaxed);
    let failure = match result {
        Ok(()) if was_interrupted => None,
        Ok(()) => end.error().map(ImportError::from),
        Err(error) => Some(error),
    };
    let is_complete = failure.is_none() && !was_interrupted;
    let finished = running.finish(is_complete);
    ImportOutcome {
        read: match is_complete {
            true => before + read.load(Ordering::Relaxed),
            // Records read ahead were not processed.
            false => running.summary.records(),
        },
        summary: running.summary,
        was_interrupted,
        errors: running.errors,
        failure: failure.or(finished.err()),
    }
}

struct RunningImport {
    report: Option<Report>,
    checkpoint: Option<(PathBuf, Job)>,
    position: CheckpointPosition,
    summary: ImportSummary,
    errors: Vec<SourceError>,
    last_checkpoint: Option<Instant>,
}

impl RunningImport {
    async fn process_batches(
        &mut self,
        batches: BatchReceiver,
        target: &Target,
        concurrency: usize,
        mut progress: ImportProgress,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), ImportError> {
        let mut gate = OrderingGate::default();
        let dispositions = batches_until_stopped(batches, Arc::clone(stop))
            .map(|batch| {
                let ticket = gate.ticket(&batch);
                process(batch, ticket, target.clone(), Arc::clone(stop))
            })
            // Keeps the order of the source, so that a position implies that
            // everything before it is processed.
            .buffered(concurrency);
        let mut dispositions = std::pin::pin!(dispositions);
        let mut tick = interval(ImportProgress::UPDATE_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let batch = tokio::select! {
                batch = dispositions.next() => batch,
                _ = tick.tick() => {
                    progress.update(&self.summary, self.position.last.as_ref());
                    continue;
                }
            };
            let Some(batch) = batch else {
                progress.finish();
                return Ok(());
            };
            for disposition in batch? {
                self.position.count += 1;
                match disposition {
                    Ok(outcome) => {
                        self.summary.record(&outcome);
                        if let Some(report) = &mut self.report {
                            report.record(&outcome)?;
                        }
                        self.position.last = Some(outcome.location);
                    }
                    Err(error) => {
                        self.summary.damaged += 1;
                        if let Some(report) = &mut self.report {
                            report.source_error(&error)?;
                        }
                        self.position.last = Some(error.location.clone());
                        if self.errors.len() < MAX_REPORTED_ERRORS {
                            self.errors.push(error);
                        }
                    }
                }
            }
            let is_due = |last: Instant| last.elapsed() >= CHECKPOINT_INTERVAL;
            if self.last_checkpoint.is_none_or(is_due) {
                self.write_checkpoint()?;
            }
        }
    }

    /// Syncs the report, then writes a checkpoint that refers to it.
    fn write_checkpoint(&mut self) -> Result<(), ImportError> {
        let report_bytes = match &mut self.report {
            Some(report) => report.sync()?,
            None => 0,
        };
        if let Some((path, job)) = &self.checkpoint {
            let checkpoint = Checkpoint {
                job: job.clone(),
                position: self.position.clone(),
                summary: self.summary.clone(),
                report_bytes,
            };
            checkpoint.write(path)?;
        }
        self.last_checkpoint = Some(Instant::now());
        Ok(())
    }

    /// Writes the final state; a complete import removes its checkpoint.
    fn finish(&mut self, is_complete: bool) -> Result<(), ImportError> {
        if !is_complete {
            return self.write_checkpoint();
        }
        if let Some(report) = &mut self.report {
            report.sync()?;
        }
        if let Some((path, _)) = &self.checkpoint {
            Checkpoint::remove(path)?;
        }
        Ok(())
    }
}
