use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::mapping::Mapping;
use super::mapping::clarity;
use super::pipeline::batch_channel::{BatchReceiver, BatchSender, ReceiverDropped};
use super::pipeline::checkpoint::{CheckpointPosition, FileFingerprint};
use super::raw_reading::ImportContext;
use super::record::{Content, Record, Records};
use super::source_location::{SourceError, SourceLocation};
use super::sources::apple_health::{AppleHealth, ExportOptions};
use super::sources::csv::CsvReadings;
use super::sources::firestore::{
    Document, JsonExport, JsonFormat, LiveFirestore, LiveTarget, ManagedExport,
};
use super::sources::legacy_table::{self, ScanOptions};
use super::sources::ndjson::NdjsonReadings;
use crate::store::LegacyTable;

/// The form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A managed export of Firestore.
    FirestoreExport,
    /// Firestore's documents as JSON of the usual tools.
    FirestoreJson,
    /// An export of Apple Health.
    AppleHealth,
    /// Readings, a JSON text a line.
    Ndjson,
    /// Readings, a row each.
    Csv,
}

/// Where readings come from.
pub enum Source {
    /// Files.
    Files {
        /// Their form.
        format: Format,
        /// The file, or the folder.
        path: PathBuf,
    },
    /// A Firestore database.
    LiveFirestore {
        /// The project's id.
        project: String,
        /// Where it is.
        target: LiveTarget,
    },
    /// A table of the Python service.
    Rows {
        /// The table.
        table: Arc<LegacyTable>,
        /// How fast it is read.
        pace: ScanOptions,
    },
}

/// That the form of a file is not known.
#[derive(Debug, thiserror::Error)]
pub enum SourceDetectionError {
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// It can be read once only, or not at all.
    #[error(
        "{} is no file: an import may read its source more than once, so write it to a file first",
        .0.display()
    )]
    NotAFile(PathBuf),
    /// It is none that is known here.
    #[error(
        "{} is nothing that can be imported: give the folder of a Firestore export, JSON of a Firestore tool, an export of Apple Health (.xml or .zip), or readings as NDJSON or CSV; or say which it is with --format",
        .0.display()
    )]
    UnknownFormat(PathBuf),
}

/// A source that is being read.
pub struct OpenedSource {
    /// What it yields.
    pub feed: BatchReceiver,
    /// Its files with their sizes in bytes, where that is known.
    pub files: Vec<(Box<str>, u64)>,
}

impl Format {
    /// The form of a file or folder, by what is in it.
    ///
    /// # Errors
    /// When it cannot be read or told.
    pub fn of(path: &Path) -> Result<Self, SourceDetectionError> {
        const SNIFF_BYTES: u64 = 1 << 20;
        let unreadable = |source| SourceDetectionError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let unknown = || SourceDetectionError::UnknownFormat(path.to_owned());
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            return match ManagedExport::is_at(path) {
                true => Ok(Self::FirestoreExport),
                false => Err(unknown()),
            };
        }
        let mut beginning = Vec::new();
        File::open(path)
            .and_then(|file| file.take(SNIFF_BYTES).read_to_end(&mut beginning))
            .map_err(unreadable)?;
        let text = beginning
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&beginning)
            .trim_ascii_start();
        if text.starts_with(b"PK") || text.starts_with(b"<") {
            return Ok(Self::AppleHealth);
        }
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        if text.starts_with(b"{") {
            let first = serde_json::from_slice::<Value>(line);
            let is_reading = first.is_ok_and(|first| {
                first.get("data_type").is_some() || first.get("complete").is_some()
            });
            return match JsonFormat::of(text) {
                _ if is_reading => Ok(Self::Ndjson),
                Some(_) => Ok(Self::FirestoreJson),
                None => Err(unknown()),
            };
        }
        let header = String::from_utf8_lossy(line);
        let is_header = header
            .split(',')
            .any(|name| name.trim().trim_matches('"') == "data_type");
        is_header.then_some(Self::Csv).ok_or_else(unknown)
    }
}

impl Source {
    /// The files at `path`, in the form that is told by what is in them if
    /// `format` does not say it.
    ///
    /// # Errors
    /// When they cannot be read, or their form cannot be told.
    pub fn files(path: &Path, format: Option<Format>) -> Result<Self, SourceDetectionError> {
        let metadata = fs::metadata(path).map_err(|source| SourceDetectionError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        // A pipe would keep whoever opens it waiting.
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(SourceDetectionError::NotAFile(path.to_owned()));
        }
        Ok(Self::Files {
            format: format.map_or_else(|| Format::of(path), Ok)?,
            path: path.to_owned(),
        })
    }

    /// Whether it names nobody whose the readings are.
    pub fn needs_user(&self) -> bool {
        matches!(
            self,
            Self::Files {
                format: Format::AppleHealth,
                ..
            }
        )
    }

    /// Whether an import of it can go on where it was interrupted.
    pub fn can_resume(&self) -> bool {
        !matches!(self, Self::Rows { .. })
    }

    /// What it is, for the settings of a checkpoint.
    pub fn describe(&self) -> String {
        match self {
            Self::Files { format, .. } => format!("{format:?}"),
            Self::LiveFirestore {
                project,
                target: LiveTarget::Emulator { host },
            } => format!("Firestore of {project} at {host}"),
            Self::LiveFirestore { project, .. } => format!("Firestore of {project}"),
            Self::Rows { table, .. } => format!("table {}", table.name()),
        }
    }

    /// The fingerprints of its files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn fingerprints(&self) -> Result<Vec<FileFingerprint>, SourceError> {
        match self {
            Self::Files {
                format: Format::FirestoreExport,
                path,
            } => {
                let export = ManagedExport::open(path)?;
                // A file that is not there is told of when its turn comes.
                let files = export.files().filter(|file| file.exists());
                files.map(FileFingerprint::of).collect()
            }
            Self::Files { path, .. } => Ok(vec![FileFingerprint::of(path)?]),
            _ => Ok(Vec::new()),
        }
    }

    /// Begins to read it behind what is `settled`.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn open(
        &self,
        context: &ImportContext,
        mapping: &Arc<Mapping>,
        settled: Option<CheckpointPosition>,
    ) -> Result<OpenedSource, SourceError> {
        match self {
            Self::Files { format, path } => {
                let (records, files) = open(*format, path, context, mapping)?;
                Ok(OpenedSource {
                    feed: BatchReceiver::of(records, settled),
                    files,
                })
            }
            Self::LiveFirestore { project, target } => {
                let mut database = LiveFirestore::new(project, target)?;
                if let Some(place) = settled.and_then(|settled| settled.last) {
                    database = database.resume_after(&place);
                }
                let (feeder, feed) = BatchReceiver::channel();
                let reader = LiveReader {
                    database,
                    feeder,
                    context: context.clone(),
                    mapping: Arc::clone(mapping),
                };
                tokio::spawn(reader.read());
                Ok(OpenedSource {
                    feed,
                    files: Vec::new(),
                })
            }
            Self::Rows { table, pace } => Ok(OpenedSource {
                feed: legacy_table::feed(table, *pace, context),
                files: Vec::new(),
            }),
        }
    }
}

type OpenedRecords = (Records, Vec<(Box<str>, u64)>);

fn open(
    format: Format,
    path: &Path,
    context: &ImportContext,
    mapping: &Arc<Mapping>,
) -> Result<OpenedRecords, SourceError> {
    let whole = vec![sized(path)];
    Ok(match format {
        Format::Ndjson => {
            let readings = NdjsonReadings::open(path, context.clone())?;
            (Box::new(readings), whole)
        }
        Format::Csv => {
            let readings = CsvReadings::open(path, context.clone())?;
            (Box::new(readings), whole)
        }
        Format::AppleHealth => {
            let Some(user_id) = context.user_id.clone() else {
                let problem = "does not say whose it is: say it with --user";
                return Err(SourceError::new(SourceLocation::start_of(path), problem));
            };
            let export = AppleHealth::open(path, &ExportOptions::all(user_id, context.now))?;
            let length = export.length().unwrap_or_default();
            let files = vec![(export.file().as_ref().into(), length)];
            (Box::new(export), files)
        }
        Format::FirestoreExport => {
            let export = ManagedExport::open(path)?;
            let files = export.files().map(sized).collect();
            let to_record = documents(context, mapping);
            (
                Box::new(
                    export.map(move |found| {
                        found.map(|(place, document)| to_record(place, &document))
                    }),
                ),
                files,
            )
        }
        Format::FirestoreJson => {
            let export = JsonExport::open(path)?;
            let to_record = documents(context, mapping);
            (
                Box::new(
                    export.map(move |found| {
                        found.map(|(place, document)| to_record(place, &document))
                    }),
                ),
                whole,
            )
        }
    })
}

/// A file and its size.
fn sized(path: &Path) -> (Box<str>, u64) {
    let bytes = path.metadata().map_or(0, |metadata| metadata.len());
    (path.to_string_lossy().into(), bytes)
}

/// OrderingGate documents into records.
fn documents(
    context: &ImportContext,
    mapping: &Arc<Mapping>,
) -> impl Fn(SourceLocation, &Document) -> Record + Send + 'static {
    let (context, mapping) = (context.clone(), Arc::clone(mapping));
    move |place, document| record(place, document, &context, &mapping)
}

fn record(
    place: SourceLocation,
    document: &Document,
    context: &ImportContext,
    mapping: &Mapping,
) -> Record {
    let readings = mapping
        .readings(document, context)
        .or_else(|| clarity::readings(document, context));
    Record {
        place,
        name: Some(document.path.as_str().into()),
        content: match readings {
            Some(parts) => Content::Readings(parts),
            None => Content::Other(format!("collection {}", document.collection()).into()),
        },
    }
}

/// Reads a database page by page.
struct LiveReader {
    database: LiveFirestore,
    feeder: BatchSender,
    context: ImportContext,
    mapping: Arc<Mapping>,
}

impl LiveReader {
    async fn read(mut self) {
        // Whoever does not want more has said why.
        let _ = self.read_pages().await;
    }

    async fn read_pages(&mut self) -> Result<(), ReceiverDropped> {
        loop {
            let page = match self.database.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => return self.feeder.finish().await,
                Err(damage) => return self.feeder.break_off(damage).await,
            };
            for found in page {
                let found = found.map(|(place, document)| {
                    record(place, &document, &self.context, &self.mapping)
                });
                self.feeder.push(found).await?;
            }
        }
    }
}
