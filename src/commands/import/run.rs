use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use super::args::Import;
use super::print::{print_outcome, print_verification};
use crate::app::{self, SystemClock};
use crate::commands::error::CommandError;
use crate::config::{StoreCommandConfig, StoreConfig};
use crate::domain::{Clock as _, UserId};
use crate::import::{
    Checkpoint, CheckpointError, ImportContext, ImportProgress, ImportRun, Job, Mapping, Report,
    Source, Target, run as run_import, verify,
};
use crate::store::ReadingStore;
use crate::telemetry::Telemetry;

/// Maximum number of blocking threads: one reads the source, the others look up stored
/// readings. Each has memory of its own.
const MAX_BLOCKING_THREADS: usize = 2;

/// Exit code after an interrupt, as shells define it (128 + `SIGINT`).
const EXIT_INTERRUPTED: u8 = 130;

/// Runs the command.
pub(in crate::commands) fn run(import: &Import) -> Result<ExitCode, CommandError> {
    let config = StoreCommandConfig::read(import.variables())?;
    Telemetry::start(&config.telemetry)?;
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(MAX_BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(import.run(config))
}

impl Import {
    async fn run(&self, config: StoreCommandConfig) -> Result<ExitCode, CommandError> {
        let mapping = match &self.map {
            Some(path) => Mapping::read(path)?,
            None => Mapping::default(),
        };
        let source = self.source().await?;
        if source.needs_user() && self.user.is_none() {
            return Err("an Apple Health export does not name its user: pass --user ID".into());
        }
        let uses_checkpoint = !self.dry_run && source.can_resume();
        self.ensure_distinct_paths(uses_checkpoint)?;
        let job = self.job(&source, &mapping, &config, uses_checkpoint)?;
        let context = ImportContext {
            now: SystemClock.now(),
            user_id: self.user.clone(),
        };
        let mapping = Arc::new(mapping);
        let store = match self.dry_run {
            true => None,
            false => Some(open_store(&config).await?),
        };
        let earlier = self.earlier(&job, uses_checkpoint)?;
        let report = match &self.report {
            Some(path) => {
                let bytes = earlier.as_ref().map_or(0, |earlier| earlier.report_bytes);
                Some(Report::open(path, bytes)?)
            }
            None => None,
        };
        let (position, summary) = match earlier {
            Some(earlier) => (Some(earlier.position), earlier.summary),
            None => (None, Default::default()),
        };
        let opened = source.open(&context, &mapping, position.clone())?;
        let stop = stop_on_signals()?;
        let outcome = run_import(
            opened.batches,
            ImportRun {
                target: self.target(&source, store),
                concurrency: self.concurrency.into(),
                report,
                checkpoint: uses_checkpoint.then(|| (self.checkpoint.clone(), job)),
                position: position.unwrap_or_default(),
                summary,
                progress: ImportProgress::new(opened.files),
            },
            Arc::clone(&stop),
        )
        .await;
        print_outcome(self, &outcome, uses_checkpoint)?;
        if outcome.was_interrupted {
            return Ok(ExitCode::from(EXIT_INTERRUPTED));
        }
        let mut is_complete = outcome.is_complete();
        if let Some(failure) = outcome.failure {
            return Err(failure.into());
        }
        if self.verify {
            // Reopening the store compares what is on disk, and first frees the
            // memory of the import.
            let store = open_store(&config).await?;
            let batches = source.open(&context, &mapping, None)?.batches;
            let verification = verify(batches, store, self.concurrency.into(), stop).await?;
            print_verification(&verification)?;
            if verification.was_interrupted {
                return Ok(ExitCode::from(EXIT_INTERRUPTED));
            }
            is_complete &= verification.is_complete();
        }
        Ok(match is_complete {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// Returns the identity of this import for its checkpoints.
    fn job(
        &self,
        source: &Source,
        mapping: &Mapping,
        config: &StoreCommandConfig,
        uses_checkpoint: bool,
    ) -> Result<Job, CommandError> {
        let settings = [
            source.describe(),
            format!("{mapping:?}"),
            self.user.as_ref().map_or("", UserId::as_str).to_owned(),
            config.store.identity(),
            format!("{:?}", self.report),
        ];
        // Reads every file once; a dry run needs no fingerprints.
        let files = match uses_checkpoint {
            true => source.fingerprints()?,
            false => Vec::new(),
        };
        Ok(Job::new(files, &settings))
    }

    /// Returns the checkpoint from which to resume.
    fn earlier(
        &self,
        job: &Job,
        uses_checkpoint: bool,
    ) -> Result<Option<Checkpoint>, CommandError> {
        let earlier = match Checkpoint::read(&self.checkpoint, job) {
            earlier if self.resume => earlier?,
            // Any other file is the user's, and must not be overwritten.
            Err(error @ CheckpointError::Malformed(_)) if uses_checkpoint => {
                return Err(error.into());
            }
            _ => None,
        };
        if self.resume && earlier.is_none() {
            eprintln!(
                "There is no checkpoint {}: starting from the beginning.",
                self.checkpoint.display()
            );
        }
        Ok(earlier)
    }

    fn target(&self, source: &Source, store: Option<Arc<dyn ReadingStore>>) -> Target {
        match (store, source) {
            (None, _) => Target::DryRun,
            (Some(store), Source::LegacyTable { table, .. }) if self.delete_migrated => {
                Target::MigrateRows(store, Arc::clone(table))
            }
            (Some(store), _) => Target::Store(store),
        }
    }
}

async fn open_store(config: &StoreCommandConfig) -> Result<Arc<dyn ReadingStore>, CommandError> {
    let store = app::open_store(&config.store, config.environment).await?;
    if let StoreConfig::DynamoDb(_) = config.store {
        store.check().await?;
    }
    Ok(store)
}

/// Returns a flag that the first `SIGINT` or `SIGTERM` sets; the second one exits
/// the process.
fn stop_on_signals() -> Result<Arc<AtomicBool>, CommandError> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(EXIT_INTERRUPTED.into());
            }
            eprintln!("Stopping; interrupt again to exit immediately.");
        }
    });
    Ok(stop)
}
