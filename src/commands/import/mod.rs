use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgGroup, Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{self, SystemClock};
use crate::commands::Failure;
use crate::config::{self, ImportConfig, StoreConfig};
use crate::domain::{Clock as _, UserId};
use crate::import::firestore::LiveTarget;
use crate::import::{
    Checkpoint, CheckpointError, CheckpointPosition, Format, ImportContext, ImportOutcome,
    ImportRun, Job, Mapping, OutputOverlap, Progress, Report, ScanOptions, Source, Target,
    Verification, keep_apart, run as run_import, verify,
};
use crate::store::ReadingStore;
use crate::telemetry::Telemetry;

/// What goes without a table to import.
const NOT_FOR_FILES: [&str; 2] = ["source", "firestore_project"];

/// What to import, and how.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("origin").required(true)))]
#[command(after_help = "\
The store is the one that `serve` uses, and takes the same settings; an embedded \
store must not be in use. An import may be repeated at any time: what is held \
already is not stored again.

  AWS_REGION, DYNAMODB_ENDPOINT  also of --from-dynamodb
  GOOGLE_OAUTH_TOKEN  for --firestore-project, from: gcloud auth print-access-token
  FIRESTORE_EMULATOR_HOST  host:port of an emulator, instead of Google's Firestore

Exit code: 0 if every record is accounted for; 1 if something could not be read \
or stored, or differs; 130 if it was interrupted.")]
pub(super) struct Import {
    /// A file, or the folder of a Firestore export.
    #[arg(group = "origin")]
    source: Option<PathBuf>,
    /// What the source is; told by what is in it if not given.
    #[arg(long, requires = "source")]
    format: Option<FormatName>,
    /// Import a Firestore database over its API: the project's id.
    #[arg(long, value_name = "PROJECT", group = "origin")]
    firestore_project: Option<String>,
    /// Import the rows that the Python service wrote into this table.
    #[arg(long, value_name = "TABLE", group = "origin")]
    from_dynamodb: Option<String>,
    /// Where that table is, if not at AWS.
    #[arg(long, value_name = "URL", conflicts_with_all = NOT_FOR_FILES)]
    endpoint: Option<String>,
    /// How many segments of that table are read at once.
    #[arg(long, value_name = "N", default_value_t = 4, conflicts_with_all = NOT_FOR_FILES,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    segments: u16,
    /// The most read units of that table to use in a second.
    #[arg(long, value_name = "N", conflicts_with_all = NOT_FOR_FILES,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_rcu: Option<u32>,
    /// Delete each row of that table once its reading was read back.
    #[arg(long, conflicts_with_all = ["source", "firestore_project", "dry_run", "verify"])]
    delete_migrated: bool,
    /// Which store to import into, in place of the one that is set.
    #[arg(long)]
    store: Option<StoreName>,
    /// Read everything and store nothing.
    #[arg(long)]
    dry_run: bool,
    /// Go on where an import of the same source was interrupted.
    #[arg(long, conflicts_with_all = ["dry_run", "from_dynamodb"])]
    resume: bool,
    /// Where to leave what --resume needs.
    #[arg(long, value_name = "FILE", default_value = "clarity-import.checkpoint")]
    checkpoint: PathBuf,
    /// How documents of other Firestore collections become readings, in TOML.
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Whose the readings are that do not say it, as in Apple Health.
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// How many batches are stored at once.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    concurrency: u16,
    /// Tell in this file what became of each record, a JSON text a line.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Afterwards read the source once more and compare it with the store.
    #[arg(long, conflicts_with = "dry_run")]
    verify: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    FirestoreExport,
    FirestoreJson,
    AppleHealth,
    Ndjson,
    Csv,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StoreName {
    Embedded,
    Dynamodb,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::FirestoreExport => Self::FirestoreExport,
            FormatName::FirestoreJson => Self::FirestoreJson,
            FormatName::AppleHealth => Self::AppleHealth,
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Csv => Self::Csv,
        }
    }
}

/// Threads that may wait for the disk at once: one reads the source, the others
/// look up what is held. Each keeps memory of its own.
const MOST_BLOCKING_THREADS: usize = 2;

/// Exit code of what was interrupted by Ctrl-C, as shells have it.
const INTERRUPTED: u8 = 130;

/// Imports, and tells what became of it.
pub(super) fn run(import: &Import) -> Result<ExitCode, Failure> {
    let config = ImportConfig::read(import.variables())?;
    Telemetry::start(&config.telemetry)?;
    tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(MOST_BLOCKING_THREADS)
        .enable_all()
        .build()?
        .block_on(import.run(config))
}

impl Import {
    /// The environment, in which the command line goes first.
    fn variables(&self) -> impl Fn(&str) -> Option<OsString> {
        let store = self.store.map(|store| match store {
            StoreName::Embedded => "embedded",
            StoreName::Dynamodb => "dynamodb",
        });
        move |name| match (name, store) {
            ("CLARITY_STORE", Some(store)) => Some(store.into()),
            _ => config::variable(name),
        }
    }

    /// The same for the table that is imported.
    fn table_variables(&self, table: &str) -> impl Fn(&str) -> Option<OsString> {
        let (table, endpoint) = (table.to_owned(), self.endpoint.clone());
        move |name| match name {
            "DYNAMODB_TABLE" => Some(table.clone().into()),
            "DYNAMODB_ENDPOINT" if endpoint.is_some() => endpoint.clone().map(Into::into),
            _ => config::variable(name),
        }
    }

    async fn run(&self, config: ImportConfig) -> Result<ExitCode, Failure> {
        let mapping = match &self.map {
            Some(path) => Mapping::read(path)?,
            None => Mapping::default(),
        };
        let source = self.source().await?;
        if source.needs_user() && self.user.is_none() {
            return Err(
                "an export of Apple Health does not say whose it is: give --user ID".into(),
            );
        }
        let keeps_checkpoint = !self.dry_run && source.can_resume();
        self.keep_apart(keeps_checkpoint)?;
        let job = Job::of(
            source.fingerprints()?,
            &[
                source.describe(),
                format!("{mapping:?}"),
                self.user.as_ref().map_or("", UserId::as_str).to_owned(),
                config.store.identity(),
                format!("{:?}", self.report),
            ],
        );
        let context = ImportContext {
            now: SystemClock.now(),
            user_id: self.user.clone(),
        };
        let mapping = Arc::new(mapping);
        let store = match self.dry_run {
            true => None,
            false => Some(open_store(&config).await?),
        };
        let earlier = match Checkpoint::read(&self.checkpoint, &job) {
            earlier if self.resume => earlier?,
            // What is no checkpoint is somebody's file, and not written over.
            Err(fault @ CheckpointError::Unreadable(_)) if keeps_checkpoint => {
                return Err(fault.into());
            }
            _ => None,
        };
        if self.resume && earlier.is_none() {
            eprintln!(
                "There is no checkpoint {}: beginning at the beginning.",
                self.checkpoint.display()
            );
        }
        let report = match &self.report {
            Some(path) => {
                let bytes = earlier.as_ref().map_or(0, |earlier| earlier.report);
                Some(Report::open(path, bytes)?)
            }
            None => None,
        };
        let (settled, ledger) = match earlier {
            Some(earlier) => (Some(earlier.settled), earlier.ledger),
            None => (None, Default::default()),
        };
        let opened = source.open(&context, &mapping, settled.clone())?;
        let stop = stop_on_signals()?;
        let ended = run_import(
            opened.feed,
            ImportRun {
                target: self.target(&source, store),
                concurrency: self.concurrency.into(),
                report,
                checkpoint: keeps_checkpoint.then(|| (self.checkpoint.clone(), job)),
                settled: settled.unwrap_or(CheckpointPosition {
                    count: 0,
                    last: None,
                }),
                ledger,
                progress: Progress::of(opened.files),
            },
            Arc::clone(&stop),
        )
        .await;
        let is_whole = self.tell(&ended, keeps_checkpoint)?;
        if ended.was_interrupted {
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if let Some(failure) = ended.failure {
            return Err(failure.into());
        }
        let mut is_right = is_whole;
        if self.verify {
            // OpenedSource anew: what is compared is what is on the disk, and what
            // storing kept in memory is given back first.
            let store = open_store(&config).await?;
            let feed = source.open(&context, &mapping, None)?.feed;
            let verification = verify(feed, store, self.concurrency.into(), stop).await?;
            tell_of(&verification)?;
            if verification.was_interrupted {
                return Ok(ExitCode::from(INTERRUPTED));
            }
            is_right &= verification.is_whole();
        }
        Ok(match is_right {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    async fn source(&self) -> Result<Source, Failure> {
        if let Some(table) = &self.from_dynamodb {
            let config = config::read_table(self.table_variables(table))?;
            return Ok(Source::Rows {
                table: Arc::new(app::open_legacy_table(&config).await),
                pace: ScanOptions {
                    segments: self.segments,
                    max_read_units: self.max_rcu,
                },
            });
        }
        if let Some(project) = &self.firestore_project {
            let text = |name| config::variable(name)?.into_string().ok();
            let given = |name| text(name).filter(|text| !text.is_empty());
            // The emulator goes before a token, which must not be sent to it.
            let target = if let Some(host) = given("FIRESTORE_EMULATOR_HOST") {
                LiveTarget::Emulator { host }
            } else if let Some(token) = given("GOOGLE_OAUTH_TOKEN") {
                let token = token.into();
                LiveTarget::Google { token }
            } else {
                return Err("set GOOGLE_OAUTH_TOKEN, from: gcloud auth print-access-token; or FIRESTORE_EMULATOR_HOST for an emulator".into());
            };
            return Ok(Source::LiveFirestore {
                project: project.clone(),
                target,
            });
        }
        // The group makes sure that there is one.
        let path = self.source.as_deref().unwrap_or("".as_ref());
        Ok(Source::files(path, self.format.map(Format::from))?)
    }

    /// Makes sure that nothing is read that would be written over.
    fn keep_apart(&self, keeps_checkpoint: bool) -> Result<(), OutputOverlap> {
        let inputs: Vec<&Path> = [&self.source, &self.map]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        let checkpoint = keeps_checkpoint.then_some(self.checkpoint.as_path());
        let outputs: Vec<&Path> = self
            .report
            .as_deref()
            .into_iter()
            .chain(checkpoint)
            .collect();
        keep_apart(&inputs, &outputs)
    }

    fn target(&self, source: &Source, store: Option<Arc<dyn ReadingStore>>) -> Target {
        match (store, source) {
            (None, _) => Target::DryRun,
            (Some(store), Source::Rows { table, .. }) if self.delete_migrated => {
                Target::MigrateRows(store, Arc::clone(table))
            }
            (Some(store), _) => Target::Store(store),
        }
    }

    /// Tells what became of the import, and whether everything in the source is
    /// accounted for.
    fn tell(&self, ended: &ImportOutcome, keeps_checkpoint: bool) -> Result<bool, Failure> {
        for damage in &ended.errors {
            eprintln!("clarity-backend: {damage}");
        }
        let mut output = std::io::stdout();
        if self.dry_run {
            writeln!(output, "A dry run; nothing is stored. Stored would be:")?;
        }
        write!(output, "{}", ended.ledger)?;
        let is_balanced = ended.read == ended.ledger.records();
        if !is_balanced {
            eprintln!(
                "clarity-backend: the source has {} records, but {} are accounted for; please report this as a fault",
                ended.read,
                ended.ledger.records()
            );
        }
        if ended.ledger.readings.rejected > 0 && self.report.is_none() {
            eprintln!("Import once more with --report FILE to see what was rejected and why.");
        }
        let is_unfinished = ended.was_interrupted || ended.failure.is_some();
        if is_unfinished && keeps_checkpoint {
            eprintln!("To go on, give the same command with --resume.");
        } else if is_unfinished {
            eprintln!("To go on, give the same command: what is held is not stored again.");
        }
        Ok(is_balanced && ended.ledger.damaged == 0)
    }
}

async fn open_store(config: &ImportConfig) -> Result<Arc<dyn ReadingStore>, Failure> {
    let store = app::open_store(&config.store, config.environment).await?;
    if let StoreConfig::DynamoDb(_) = config.store {
        store.check().await?;
    }
    Ok(store)
}

/// Is set by the first signal to stop; the second ends the process at once.
fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let told = Arc::clone(&stop);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if told.swap(true, Ordering::Relaxed) {
                std::process::exit(INTERRUPTED.into());
            }
            eprintln!("Stopping; once more to stop at once.");
        }
    });
    Ok(stop)
}

/// Prints what is held beside what the source says.
fn tell_of(verification: &Verification) -> Result<(), Failure> {
    let mut output = std::io::stdout();
    let widest = |lengths: BTreeMap<usize, ()>| lengths.keys().next_back().copied().unwrap_or(0);
    let keys = || verification.tallies.keys();
    let user = widest(keys().map(|(user, _)| (user.as_str().len(), ())).collect()).max(4);
    let kind = widest(keys().map(|(_, kind)| (kind.as_str().len(), ())).collect()).max(9);
    writeln!(
        output,
        "{:<user$}  {:<kind$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
        "user", "data type", "in source", "held", "superseded", "missing", "different"
    )?;
    for ((user_id, data_type), tally) in &verification.tallies {
        writeln!(
            output,
            "{:<user$}  {:<kind$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
            user_id.as_str(),
            data_type.as_str(),
            tally.expected,
            tally.equal,
            tally.superseded,
            tally.missing,
            tally.different
        )?;
    }
    let verdict = match verification.is_whole() {
        true => "Everything is held as the source has it.",
        false if verification.was_interrupted => {
            "It was interrupted before everything was compared."
        }
        false => "Not everything is held as the source has it.",
    };
    writeln!(output, "{verdict}")?;
    Ok(())
}
