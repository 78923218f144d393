use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args, ValueEnum};

use crate::app;
use crate::commands::error::CommandError;
use crate::config;
use crate::domain::UserId;
use crate::import::firestore::LiveTarget;
use crate::import::{Format, OutputOverlap, ScanOptions, Source, ensure_distinct_paths, formats};

/// Sources to which the options of a table do not apply.
const OTHER_SOURCES: [&str; 2] = ["source", "firestore_project"];

/// Arguments of the command.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("origin").required(true)))]
#[command(after_help = "\
The target is the store of `serve`, with the same settings; an embedded store \
must not be in use. An import may be repeated at any time: stored readings are \
not stored again.

  AWS_REGION, DYNAMODB_ENDPOINT  also apply to --from-dynamodb
  GOOGLE_OAUTH_TOKEN  token for --firestore-project, from: gcloud auth print-access-token
  FIRESTORE_EMULATOR_HOST  host:port of an emulator to use instead of Google Cloud

Exit code: 0 if every record is accounted for; 1 if anything could not be read \
or stored, or differs; 130 if interrupted.")]
pub(in crate::commands) struct Import {
    /// A file, or the folder of a Firestore export.
    #[arg(group = "origin")]
    pub(super) source: Option<PathBuf>,
    /// Format of the source; detected from its content by default.
    #[arg(long, requires = "source", value_parser = format_parser())]
    format: Option<Format>,
    /// Import a Firestore database over its API, by the project's id.
    #[arg(long, value_name = "PROJECT", group = "origin")]
    firestore_project: Option<String>,
    /// Import the rows that the Python service wrote to this table.
    #[arg(long, value_name = "TABLE", group = "origin")]
    from_dynamodb: Option<String>,
    /// Endpoint of that table, if it is not on AWS.
    #[arg(long, value_name = "URL", conflicts_with_all = OTHER_SOURCES)]
    endpoint: Option<String>,
    /// Segments of that table to scan in parallel.
    #[arg(long, value_name = "N", default_value_t = 4, conflicts_with_all = OTHER_SOURCES,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    segments: u16,
    /// Maximum read units per second to consume from that table.
    #[arg(long, value_name = "N", conflicts_with_all = OTHER_SOURCES,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_rcu: Option<u32>,
    /// Delete each row of that table once its reading is verified.
    #[arg(long, conflicts_with_all = ["source", "firestore_project", "dry_run", "verify"])]
    pub(super) delete_migrated: bool,
    /// Store to import into, instead of the configured one.
    #[arg(long)]
    store: Option<StoreName>,
    /// Read and validate everything, but store nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Continue an interrupted import of the same source.
    #[arg(long, conflicts_with_all = ["dry_run", "from_dynamodb"])]
    pub(super) resume: bool,
    /// Checkpoint file for --resume.
    #[arg(long, value_name = "FILE", default_value = "clarity-import.checkpoint")]
    pub(super) checkpoint: PathBuf,
    /// Mapping of other Firestore collections to readings, in TOML.
    #[arg(long, value_name = "FILE")]
    pub(super) map: Option<PathBuf>,
    /// User of readings that name none, as in Apple Health exports.
    #[arg(long, value_name = "ID")]
    pub(super) user: Option<UserId>,
    /// Batches to store concurrently.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) concurrency: u16,
    /// Write the outcome of each record to this file, one JSON object per line.
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Read the source again afterwards and compare it with the store.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) verify: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StoreName {
    Embedded,
    Dynamodb,
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(formats().iter().map(|format| format.name))
        .try_map(|name| Format::from_name(&name).ok_or("unknown format"))
}

impl Import {
    /// Returns the environment with the command line's overrides.
    pub(super) fn variables(&self) -> impl Fn(&str) -> Option<OsString> {
        let store = self.store.map(|store| match store {
            StoreName::Embedded => "embedded",
            StoreName::Dynamodb => "dynamodb",
        });
        move |name| match (name, store) {
            ("CLARITY_STORE", Some(store)) => Some(store.into()),
            _ => config::variable(name),
        }
    }

    /// Returns the environment with the overrides for the legacy table.
    fn table_variables(&self, table: &str) -> impl Fn(&str) -> Option<OsString> {
        let (table, endpoint) = (table.to_owned(), self.endpoint.clone());
        move |name| match name {
            "DYNAMODB_TABLE" => Some(table.clone().into()),
            "DYNAMODB_ENDPOINT" if endpoint.is_some() => endpoint.clone().map(Into::into),
            _ => config::variable(name),
        }
    }

    /// Returns the source.
    pub(super) async fn source(&self) -> Result<Source, CommandError> {
        if let Some(table) = &self.from_dynamodb {
            let config = config::read_table(self.table_variables(table))?;
            return Ok(Source::LegacyTable {
                table: Arc::new(app::open_legacy_table(config).await),
                options: ScanOptions {
                    segments: self.segments,
                    max_read_units: self.max_rcu,
                },
            });
        }
        if let Some(project) = &self.firestore_project {
            let text = |name| config::variable(name)?.into_string().ok();
            let non_empty = |name| text(name).filter(|text| !text.is_empty());
            // An emulator takes precedence: it must not receive the token.
            let target = if let Some(host) = non_empty("FIRESTORE_EMULATOR_HOST") {
                LiveTarget::Emulator { host }
            } else if let Some(token) = non_empty("GOOGLE_OAUTH_TOKEN") {
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
        // The argument group guarantees that there is a path.
        let path = self.source.as_deref().unwrap_or("".as_ref());
        Ok(Source::files(path, self.format)?)
    }

    /// Checks that no output overwrites an input or another output.
    pub(super) fn ensure_distinct_paths(&self, uses_checkpoint: bool) -> Result<(), OutputOverlap> {
        let inputs: Vec<&Path> = [&self.source, &self.map]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        let checkpoint = uses_checkpoint.then_some(self.checkpoint.as_path());
        let outputs: Vec<&Path> = self
            .report
            .as_deref()
            .into_iter()
            .chain(checkpoint)
            .collect();
        ensure_distinct_paths(&inputs, &outputs)
    }
}
