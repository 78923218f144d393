use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::format::{Format, SourceDetectionError};
use super::mapping::{Mapping, clarity};
use super::pipeline::batch_channel::{BatchReceiver, BatchSender, ReceiverDropped};
use super::pipeline::checkpoint::{CheckpointPosition, FileFingerprint};
use super::raw_reading::ImportContext;
use super::record::{RecordContent, Records, SourceRecord};
use super::source_location::{SourceError, SourceLocation};
use super::sources::apple_health::{AppleHealth, ExportOptions};
use super::sources::csv::CsvReadings;
use super::sources::firestore::{Document, JsonExport, LiveFirestore, LiveTarget, ManagedExport};
use super::sources::legacy_table::{self, ScanOptions};
use super::sources::ndjson::NdjsonReadings;
use crate::store::LegacyTable;

/// A source of readings.
pub enum Source {
    /// Files.
    Files {
        /// Their format.
        format: Format,
        /// The file or folder.
        path: PathBuf,
    },
    /// A Firestore database, read over its API.
    LiveFirestore {
        /// The project's id.
        project: String,
        /// The server and its credentials.
        target: LiveTarget,
    },
    /// A table of the Python service.
    LegacyTable {
        /// The table.
        table: Arc<LegacyTable>,
        /// The parallelism and the rate of the scan.
        options: ScanOptions,
    },
}

/// A source that is being read.
pub struct OpenedSource {
    /// Its records, in batches.
    pub batches: BatchReceiver,
    /// Its files with their sizes in bytes; empty for a database or table.
    pub files: Vec<(Box<str>, u64)>,
}

impl Source {
    /// Returns the files at `path`; without a `format`, detects it from their
    /// content.
    ///
    /// # Errors
    /// The path cannot be read, is no file or folder, or its format is unknown.
    pub fn files(path: &Path, format: Option<Format>) -> Result<Self, SourceDetectionError> {
        let metadata = fs::metadata(path).map_err(|source| SourceDetectionError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        // Opening a pipe would block.
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(SourceDetectionError::NotAFile(path.to_owned()));
        }
        Ok(Self::Files {
            format: format.map_or_else(|| Format::detect(path), Ok)?,
            path: path.to_owned(),
        })
    }

    /// Returns whether readings in this format carry no user id.
    pub fn needs_user(&self) -> bool {
        matches!(
            self,
            Self::Files {
                format: Format::AppleHealth,
                ..
            }
        )
    }

    /// Returns whether an interrupted import of it can resume.
    pub fn can_resume(&self) -> bool {
        !matches!(self, Self::LegacyTable { .. })
    }

    /// Describes the source in the settings of a checkpoint. A change of this
    /// text makes existing checkpoints unusable.
    pub fn describe(&self) -> String {
        match self {
            Self::Files { format, .. } => format!("{format:?}"),
            Self::LiveFirestore {
                project,
                target: LiveTarget::Emulator { host },
            } => format!("Firestore of {project} at {host}"),
            Self::LiveFirestore { project, .. } => format!("Firestore of {project}"),
            Self::LegacyTable { table, .. } => format!("table {}", table.name()),
        }
    }

    /// Returns the fingerprints of its files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn fingerprints(&self) -> Result<Vec<FileFingerprint>, SourceError> {
        match self {
            Self::Files {
                format: Format::FirestoreExport,
                path,
            } => {
                let export = ManagedExport::open(path)?;
                // A missing file is reported when the import reaches it.
                let files = export.files().filter(|file| file.exists());
                files.map(FileFingerprint::of_file).collect()
            }
            Self::Files { path, .. } => Ok(vec![FileFingerprint::of_file(path)?]),
            _ => Ok(Vec::new()),
        }
    }

    /// Starts to read it after `position`, or from the beginning.
    ///
    /// # Errors
    /// It cannot be read at all.
    pub fn open(
        &self,
        context: &ImportContext,
        mapping: &Arc<Mapping>,
        position: Option<CheckpointPosition>,
    ) -> Result<OpenedSource, SourceError> {
        match self {
            Self::Files { format, path } => {
                let (records, files) = open_files(*format, path, context, mapping)?;
                Ok(OpenedSource {
                    batches: BatchReceiver::from_records(records, position),
                    files,
                })
            }
            Self::LiveFirestore { project, target } => {
                let mut database = LiveFirestore::new(project, target)?;
                if let Some(location) = position.and_then(|position| position.last) {
                    database = database.resume_after(&location);
                }
                let (sender, batches) = BatchReceiver::channel();
                let reader = LiveReader {
                    database,
                    sender,
                    context: context.clone(),
                    mapping: Arc::clone(mapping),
                };
                tokio::spawn(reader.run());
                Ok(OpenedSource {
                    batches,
                    files: Vec::new(),
                })
            }
            Self::LegacyTable { table, options } => Ok(OpenedSource {
                batches: legacy_table::scan(table, *options, context),
                files: Vec::new(),
            }),
        }
    }
}

type OpenedRecords = (Records, Vec<(Box<str>, u64)>);

fn open_files(
    format: Format,
    path: &Path,
    context: &ImportContext,
    mapping: &Arc<Mapping>,
) -> Result<OpenedRecords, SourceError> {
    let single_file = vec![with_size(path)];
    Ok(match format {
        Format::Ndjson => {
            let readings = NdjsonReadings::open(path, context.clone())?;
            (Box::new(readings), single_file)
        }
        Format::Csv => {
            let readings = CsvReadings::open(path, context.clone())?;
            (Box::new(readings), single_file)
        }
        Format::AppleHealth => {
            let Some(user_id) = context.user_id.clone() else {
                let problem = "does not name its user: pass --user";
                return Err(SourceError::new(SourceLocation::start_of(path), problem));
            };
            let export = AppleHealth::open(path, &ExportOptions::new(user_id, context.now))?;
            let length = export.length().unwrap_or_default();
            let files = vec![(export.file().as_ref().into(), length)];
            (Box::new(export), files)
        }
        Format::FirestoreExport => {
            let export = ManagedExport::open(path)?;
            let files = export.files().map(with_size).collect();
            let to_record = document_mapper(context, mapping);
            let records =
                export.map(move |read| read.map(|(location, it)| to_record(location, &it)));
            (Box::new(records), files)
        }
        Format::FirestoreJson => {
            let export = JsonExport::open(path)?;
            let to_record = document_mapper(context, mapping);
            let records =
                export.map(move |read| read.map(|(location, it)| to_record(location, &it)));
            (Box::new(records), single_file)
        }
    })
}

fn with_size(path: &Path) -> (Box<str>, u64) {
    let bytes = path.metadata().map_or(0, |metadata| metadata.len());
    (path.to_string_lossy().into(), bytes)
}

/// Returns a function that converts documents to records.
fn document_mapper(
    context: &ImportContext,
    mapping: &Arc<Mapping>,
) -> impl Fn(SourceLocation, &Document) -> SourceRecord + Send + 'static {
    let (context, mapping) = (context.clone(), Arc::clone(mapping));
    move |location, document| to_record(location, document, &context, &mapping)
}

fn to_record(
    location: SourceLocation,
    document: &Document,
    context: &ImportContext,
    mapping: &Mapping,
) -> SourceRecord {
    let readings = mapping
        .readings(document, context)
        .or_else(|| clarity::readings(document, context));
    SourceRecord {
        location,
        name: Some(document.path.as_str().into()),
        content: match readings {
            Some(parts) => RecordContent::Readings(parts),
            None => RecordContent::Other(format!("collection {}", document.collection()).into()),
        },
    }
}

/// Reads a database page by page.
struct LiveReader {
    database: LiveFirestore,
    sender: BatchSender,
    context: ImportContext,
    mapping: Arc<Mapping>,
}

impl LiveReader {
    async fn run(mut self) {
        // A dropped receiver has reported its reason itself.
        let _ = self.read_pages().await;
    }

    async fn read_pages(&mut self) -> Result<(), ReceiverDropped> {
        loop {
            let page = match self.database.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => return self.sender.finish().await,
                Err(error) => return self.sender.abort(error).await,
            };
            for read in page {
                let record = read.map(|(location, document)| {
                    to_record(location, &document, &self.context, &self.mapping)
                });
                self.sender.push(record).await?;
            }
        }
    }
}
