use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::MAX_LINE_BYTES;
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::{ReadResult, RecordContent, Rejection, SourceRecord};
use crate::import::source_location::{SourceError, SourceLocation};

/// Reader of NDJSON files with a reading per line, as the API accepts or returns
/// it.
pub struct NdjsonReadings {
    source: BufReader<File>,
    file: Arc<str>,
    /// Bytes read so far.
    offset: u64,
    line: Vec<u8>,
    /// Readings since the beginning or the last end of an export.
    count: u64,
    /// True if the last reading has members that only the service sets.
    is_export: bool,
    context: ImportContext,
    is_finished: bool,
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A reading; unknown members are rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadingLine<'a> {
    #[serde(borrow)]
    data_id: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    user_id: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    data_type: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    unit: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    client_record_id: Option<BorrowedText<'a>>,
    #[serde(borrow)]
    client_record_version: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<BorrowedText<'a>>,
}

/// Text that borrows from the line unless it contains escapes.
#[derive(Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

impl BorrowedText<'_> {
    fn as_deref<'a>(text: &'a Option<BorrowedText<'_>>) -> Option<&'a str> {
        text.as_ref().map(|text| &*text.0)
    }
}

/// Last line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExportTrailer {
    complete: bool,
    count: u64,
}

impl NdjsonReadings {
    /// Opens a file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, context: ImportContext) -> Result<Self, SourceError> {
        let location = SourceLocation::start_of(path);
        let file =
            File::open(path).map_err(|error| SourceError::unreadable(location.clone(), &error))?;
        Ok(Self {
            source: BufReader::new(file),
            file: location.file,
            offset: 0,
            line: Vec::new(),
            count: 0,
            is_export: false,
            context,
            is_finished: false,
        })
    }

    /// Parses the current line.
    fn record(&mut self, location: SourceLocation) -> ReadResult {
        let line = self.line.trim_ascii();
        if let Ok(trailer) = serde_json::from_slice::<ExportTrailer>(line) {
            let count = std::mem::take(&mut self.count);
            self.is_export = false;
            return if trailer.complete && trailer.count == count {
                Ok(SourceRecord {
                    location,
                    name: None,
                    content: RecordContent::Other("end of an export".into()),
                })
            } else {
                let problem = format!(
                    "the export declares {} readings but contains {count}: export again",
                    trailer.count
                );
                Err(SourceError::new(location, problem))
            };
        }
        self.count += 1;
        let reading = match serde_json::from_slice::<ReadingLine<'_>>(line) {
            Ok(line) => {
                self.is_export = line.data_id.is_some() && line.created_at.is_some();
                line.raw_reading().validate(&self.context)
            }
            Err(error) => Err(rejection(&error)),
        };
        Ok(SourceRecord {
            location,
            name: None,
            content: RecordContent::Readings(vec![reading]),
        })
    }
}

fn rejection(error: &serde_json::Error) -> Rejection {
    // The message of the error may quote the line.
    Rejection::new(
        "the line",
        if error.is_data() {
            "must be a JSON object with the members of a reading, each at most once and of its type"
        } else if error.is_eof() {
            "is incomplete JSON"
        } else {
            "must be valid JSON and Unicode"
        },
    )
}

impl ReadingLine<'_> {
    fn raw_reading(&self) -> RawReading<'_> {
        RawReading {
            user_id: BorrowedText::as_deref(&self.user_id),
            data_type: BorrowedText::as_deref(&self.data_type),
            value: self.value.map(RawValue::get),
            timestamp: BorrowedText::as_deref(&self.timestamp),
            unit: BorrowedText::as_deref(&self.unit),
            metadata: self.metadata.map(RawValue::get),
            client_record_id: BorrowedText::as_deref(&self.client_record_id),
            client_record_version: self.client_record_version.map(RawValue::get),
            data_id: BorrowedText::as_deref(&self.data_id),
            created_at: BorrowedText::as_deref(&self.created_at),
        }
    }
}

impl Iterator for NdjsonReadings {
    type Item = ReadResult;

    fn next(&mut self) -> Option<ReadResult> {
        while !self.is_finished {
            let location = SourceLocation::new(Arc::clone(&self.file), self.offset);
            self.line.clear();
            let read = (&mut self.source)
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => self.is_finished = true,
                Ok(count) => self.offset += count as u64,
                Err(error) => {
                    self.is_finished = true;
                    return Some(Err(SourceError::unreadable(location, &error)));
                }
            }
            if self.line.len() as u64 == MAX_LINE_BYTES && !self.line.ends_with(b"\n") {
                self.count += 1;
                match self.source.skip_until(b'\n') {
                    Ok(skipped) => self.offset += skipped as u64,
                    Err(_) => self.is_finished = true,
                }
                let reason = "is longer than 1 MiB";
                return Some(Ok(SourceRecord::rejected(
                    location,
                    Rejection::new("the line", reason),
                )));
            }
            if location.offset == 0 && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if !self.line.trim_ascii().is_empty() {
                return Some(self.record(location));
            }
        }
        let lacks_trailer = std::mem::take(&mut self.is_export);
        lacks_trailer.then(|| {
            let problem = format!(
                "contains readings of an export but lacks the last line with their number, so it may be truncated: export again, or append {{\"complete\":true,\"count\":{}}} if it is complete",
                self.count
            );
            let location = SourceLocation::new(Arc::clone(&self.file), self.offset);
            Err(SourceError::new(location, problem))
        })
    }
}
