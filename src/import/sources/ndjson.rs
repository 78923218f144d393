use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::LONGEST;
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::{Content, Found, Record, Rejection};
use crate::import::source_location::{SourceError, SourceLocation};

/// Reads a JSON text a line, each a reading as the API takes or gives it.
pub struct NdjsonReadings {
    source: BufReader<File>,
    file: Arc<str>,
    /// Bytes read so far.
    offset: u64,
    line: Vec<u8>,
    /// Lines that are readings, since the beginning or the last end of an export.
    count: u64,
    /// Whether the last of those has what only the service gives.
    is_export: bool,
    context: ImportContext,
    is_finished: bool,
}

/// What some editors put at the beginning of a file.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line; members that are not named here are rejected.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(borrow)]
    data_id: Option<Text<'a>>,
    #[serde(borrow)]
    user_id: Option<Text<'a>>,
    #[serde(borrow)]
    data_type: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    unit: Option<Text<'a>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    client_record_id: Option<Text<'a>>,
    #[serde(borrow)]
    client_record_version: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<Text<'a>>,
}

/// A text that borrows from the line where no escape stands in the way.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    fn of<'a>(text: &'a Option<Text<'_>>) -> Option<&'a str> {
        text.as_ref().map(|text| &*text.0)
    }
}

/// What stands at the end of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    complete: bool,
    count: u64,
}

impl NdjsonReadings {
    /// Opens a file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path, context: ImportContext) -> Result<Self, SourceError> {
        let place = SourceLocation::start_of(path);
        let file =
            File::open(path).map_err(|error| SourceError::unreadable(place.clone(), &error))?;
        Ok(Self {
            source: BufReader::new(file),
            file: place.file,
            offset: 0,
            line: Vec::new(),
            count: 0,
            is_export: false,
            context,
            is_finished: false,
        })
    }

    /// What stands in the line just read.
    fn record(&mut self, place: SourceLocation) -> Found {
        let line = self.line.trim_ascii();
        if let Ok(end) = serde_json::from_slice::<End>(line) {
            let expected = std::mem::take(&mut self.count);
            self.is_export = false;
            return if end.complete && end.count == expected {
                Ok(Record {
                    place,
                    name: None,
                    content: Content::Other("end of an export".into()),
                })
            } else {
                let problem = format!(
                    "the export says that it has {} readings, but {expected} are here: export again",
                    end.count
                );
                Err(SourceError::new(place, problem))
            };
        }
        self.count += 1;
        let reading = match serde_json::from_slice::<Line<'_>>(line) {
            Ok(line) => {
                self.is_export = line.data_id.is_some() && line.created_at.is_some();
                line.draft().check(&self.context)
            }
            Err(error) => Err(unreadable(&error)),
        };
        Ok(Record {
            place,
            name: None,
            content: Content::Readings(vec![reading]),
        })
    }
}

fn unreadable(error: &serde_json::Error) -> Rejection {
    // The error itself would repeat what the line holds.
    Rejection::because(
        "the line",
        if error.is_data() {
            "must be a JSON object with the members of a reading, each once and of its type"
        } else if error.is_eof() {
            "ends too early to be JSON"
        } else {
            "must be JSON text with valid Unicode"
        },
    )
}

impl Line<'_> {
    fn draft(&self) -> RawReading<'_> {
        RawReading {
            user_id: Text::of(&self.user_id),
            data_type: Text::of(&self.data_type),
            value: self.value.map(RawValue::get),
            timestamp: Text::of(&self.timestamp),
            unit: Text::of(&self.unit),
            metadata: self.metadata.map(RawValue::get),
            client_record_id: Text::of(&self.client_record_id),
            client_record_version: self.client_record_version.map(RawValue::get),
            data_id: Text::of(&self.data_id),
            created_at: Text::of(&self.created_at),
        }
    }
}

impl Iterator for NdjsonReadings {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while !self.is_finished {
            let place = SourceLocation::new(Arc::clone(&self.file), self.offset);
            self.line.clear();
            let read = (&mut self.source)
                .take(LONGEST)
                .read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => self.is_finished = true,
                Ok(count) => self.offset += count as u64,
                Err(error) => {
                    self.is_finished = true;
                    return Some(Err(SourceError::unreadable(place, &error)));
                }
            }
            if self.line.len() as u64 == LONGEST && !self.line.ends_with(b"\n") {
                self.count += 1;
                match self.source.skip_until(b'\n') {
                    Ok(skipped) => self.offset += skipped as u64,
                    Err(_) => self.is_finished = true,
                }
                let reason = "is longer than 1 MiB";
                return Some(Ok(Record::rejected(
                    place,
                    Rejection::because("the line", reason),
                )));
            }
            if place.offset == 0 && self.line.starts_with(BYTE_ORDER_MARK) {
                self.line.drain(..BYTE_ORDER_MARK.len());
            }
            if !self.line.trim_ascii().is_empty() {
                return Some(self.record(place));
            }
        }
        let is_cut_off = std::mem::take(&mut self.is_export);
        is_cut_off.then(|| {
            let problem = format!(
                "has readings of an export, but not the line at its end that says how many: it may be cut off; export again, or add {{\"complete\":true,\"count\":{}}} if it is whole",
                self.count
            );
            Err(SourceError::new(SourceLocation::new(Arc::clone(&self.file), self.offset), problem))
        })
    }
}
