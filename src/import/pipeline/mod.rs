//! Reading batches from a source, storing them and reporting the outcome.

pub mod batch_channel;
pub mod checkpoint;
mod migrate;
mod ordering;
pub mod outputs;
pub mod process;
pub mod progress;
pub mod report;
pub mod retry;
pub mod summary;
pub mod verify;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::batch_channel::{Batch, BatchReceiver};
use self::checkpoint::{Checkpoint, CheckpointError, CheckpointPosition, Job};
use self::ordering::OrderingGate;
use self::process::{Target, settle};
use self::progress::Progress;
use self::report::{Report, ReportError};
use self::summary::ImportSummary;
use crate::import::source_location::SourceError;
use crate::store::StoreError;

/// How often a checkpoint is written.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(2);

/// An import that is about to run.
pub struct ImportRun {
    /// Where readings go.
    pub target: Target,
    /// How many batches are stored at once.
    pub concurrency: usize,
    /// What each record is told of in.
    pub report: Option<Report>,
    /// Where to leave checkpoints, and of what; not for sources that cannot be
    /// gone on with.
    pub checkpoint: Option<(PathBuf, Job)>,
    /// What earlier runs dealt with.
    pub settled: CheckpointPosition,
    /// What became of that.
    pub ledger: ImportSummary,
    /// Who is told how it goes.
    pub progress: Progress,
}

/// How an import ended.
pub struct ImportOutcome {
    /// What became of each record.
    pub ledger: ImportSummary,
    /// How many records the reader of the source says there were, this time and
    /// in earlier runs.
    pub read: u64,
    /// Whether it was interrupted.
    pub was_interrupted: bool,
    /// The first few places that cannot be read.
    pub errors: Vec<SourceError>,
    /// Why it could not go on, if so.
    pub failure: Option<ImportError>,
}

/// Why an import cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The store failed for longer than one backoff.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The source cannot be read to its end.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no writing to the report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// There is no writing of checkpoints.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// How many damaged places are told of by themselves; the report has all.
const MAX_REPORTED_ERRORS: usize = 10;

/// Imports what `feed` yields until it ends or `stop` is set.
///
/// What is stored is stored whatever happens; everything before the last
/// checkpoint is also told of.
pub async fn run(feed: BatchReceiver, run: ImportRun, stop: Arc<AtomicBool>) -> ImportOutcome {
    let read = Arc::clone(&feed.read);
    let ending = Arc::clone(&feed.ending);
    let before = run.ledger.records();
    let mut running = RunningImport {
        report: run.report,
        checkpoint: run.checkpoint,
        settled: run.settled,
        ledger: run.ledger,
        errors: Vec::new(),
        written: None,
    };
    let went_on = running
        .go_on(feed, &run.target, run.concurrency, run.progress, &stop)
        .await;
    let was_interrupted = stop.load(Ordering::Relaxed);
    let failure = match went_on {
        Ok(()) if was_interrupted => None,
        Ok(()) => ending.fault().map(ImportError::from),
        Err(fault) => Some(fault),
    };
    let is_whole = failure.is_none() && !was_interrupted;
    let closed = running.close(is_whole);
    ImportOutcome {
        read: match is_whole {
            true => before + read.load(Ordering::Relaxed),
            // What was read ahead is not dealt with, and is not said to be.
            false => running.ledger.records(),
        },
        ledger: running.ledger,
        was_interrupted,
        errors: running.errors,
        failure: failure.or(closed.err()),
    }
}

/// An import under way.
struct RunningImport {
    report: Option<Report>,
    checkpoint: Option<(PathBuf, Job)>,
    settled: CheckpointPosition,
    ledger: ImportSummary,
    errors: Vec<SourceError>,
    /// When the last checkpoint was written.
    written: Option<Instant>,
}

impl RunningImport {
    async fn go_on(
        &mut self,
        feed: BatchReceiver,
        target: &Target,
        concurrency: usize,
        mut progress: Progress,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), ImportError> {
        let mut turns = OrderingGate::default();
        let dispositions = until(feed, Arc::clone(stop))
            .map(|batch| {
                let turn = turns.of(&batch);
                settle(batch, turn, target.clone(), Arc::clone(stop))
            })
            // In the order of the source: what is settled is all before it too.
            .buffered(concurrency);
        let mut dispositions = std::pin::pin!(dispositions);
        let mut tick = interval(Progress::EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            let batch = tokio::select! {
                batch = dispositions.next() => batch,
                _ = tick.tick() => {
                    progress.tell(&self.ledger, self.settled.last.as_ref());
                    continue;
                }
            };
            let Some(batch) = batch else {
                progress.finish();
                return Ok(());
            };
            for disposition in batch? {
                self.settled.count += 1;
                match disposition {
                    Ok(done) => {
                        self.ledger.note(&done);
                        if let Some(report) = &mut self.report {
                            report.record(&done)?;
                        }
                        self.settled.last = Some(done.place);
                    }
                    Err(damage) => {
                        self.ledger.damaged += 1;
                        if let Some(report) = &mut self.report {
                            report.damage(&damage)?;
                        }
                        self.settled.last = Some(damage.place.clone());
                        if self.errors.len() < MAX_REPORTED_ERRORS {
                            self.errors.push(damage);
                        }
                    }
                }
            }
            let is_due = |written: Instant| written.elapsed() >= CHECKPOINT_EVERY;
            if self.written.is_none_or(is_due) {
                self.write()?;
            }
        }
    }

    /// Writes the report and then a checkpoint.
    fn write(&mut self) -> Result<(), ImportError> {
        let report = match &mut self.report {
            Some(report) => report.sync()?,
            None => 0,
        };
        if let Some((path, job)) = &self.checkpoint {
            let checkpoint = Checkpoint {
                job: job.clone(),
                settled: self.settled.clone(),
                ledger: self.ledger.clone(),
                report,
            };
            checkpoint.write(path)?;
        }
        self.written = Some(Instant::now());
        Ok(())
    }

    /// Writes what is to be kept; a whole import needs no checkpoint any more.
    fn close(&mut self, is_whole: bool) -> Result<(), ImportError> {
        if !is_whole {
            return self.write();
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

/// The batches of a feed until `stop` is set.
pub(super) fn until(feed: BatchReceiver, stop: Arc<AtomicBool>) -> impl Stream<Item = Batch> {
    stream::unfold((feed.batches, stop), |(mut batches, stop)| async move {
        // Looked at now and then, as the next batch may be long in coming.
        loop {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            match tokio::time::timeout(Duration::from_millis(100), batches.recv()).await {
                Ok(batch) => return Some((batch?, (batches, stop))),
                Err(_) => continue,
            }
        }
    })
}
