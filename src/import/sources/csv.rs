use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use super::MAX_LINE_BYTES;
use crate::import::limited_reader::LimitedReader;
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::{ReadResult, RecordContent, Rejection, SourceRecord};
use crate::import::source_location::{SourceError, SourceLocation};

/// Reader of CSV files with a reading per row. A header names the columns, in
/// any order.
pub struct CsvReadings {
    rows: Reader<LimitedReader<File>>,
    columns: Vec<Column>,
    file: Arc<str>,
    row: StringRecord,
    /// The file's length, if it does not end with a line break.
    unterminated_len: Option<u64>,
    context: ImportContext,
    is_finished: bool,
}

const TOO_LONG: &str = "a row is longer than 1 MiB: check for a missing closing quotation mark";

/// Accessor of the member of a reading that a column holds.
type Column = for<'d, 'a> fn(&'d mut RawReading<'a>) -> &'d mut Option<&'a str>;

/// Columns by name, as in an export of the service.
const COLUMNS: [(&str, Column); 10] = [
    ("data_id", |reading| &mut reading.data_id),
    ("user_id", |reading| &mut reading.user_id),
    ("data_type", |reading| &mut reading.data_type),
    ("value", |reading| &mut reading.value),
    ("timestamp", |reading| &mut reading.timestamp),
    ("unit", |reading| &mut reading.unit),
    ("metadata", |reading| &mut reading.metadata),
    ("client_record_id", |reading| &mut reading.client_record_id),
    ("client_record_version", |reading| {
        &mut reading.client_record_version
    }),
    ("created_at", |reading| &mut reading.created_at),
];

impl CsvReadings {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// The file cannot be read, or its header has an unknown or repeated column.
    pub fn open(path: &Path, context: ImportContext) -> Result<Self, SourceError> {
        let location = SourceLocation::start_of(path);
        let unreadable = |error| SourceError::unreadable(location.clone(), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let unterminated_len = unterminated_len(&mut file).map_err(unreadable)?;
        let file = LimitedReader::new(file, MAX_LINE_BYTES, TOO_LONG);
        let mut rows = ReaderBuilder::new().flexible(true).from_reader(file);
        let columns = match rows.headers() {
            Ok(header) => header
                .iter()
                .enumerate()
                .map(|(index, name)| {
                    let is_first = header.iter().take(index).all(|it| it.trim() != name.trim());
                    column(name.trim()).filter(|_| is_first).ok_or(index)
                })
                .collect::<Result<Vec<Column>, usize>>(),
            Err(error) => return Err(SourceError::new(location, problem(error.kind()))),
        };
        let columns = columns.map_err(|index| {
            let names = COLUMNS.map(|(name, _)| name).join(", ");
            let problem = format!("column {} is not one of {names}, or is repeated", index + 1);
            SourceError::new(location.clone(), problem)
        })?;
        Ok(Self {
            rows,
            columns,
            file: location.file,
            row: StringRecord::new(),
            unterminated_len,
            context,
            is_finished: false,
        })
    }

    /// Returns whether the current row ends the file without a line break.
    fn is_unterminated(&self) -> bool {
        let end = self.rows.position().byte();
        self.unterminated_len.is_some_and(|length| end >= length)
    }

    fn content(&self) -> RecordContent {
        let mut raw = RawReading::default();
        for (column, cell) in self.columns.iter().zip(&self.row) {
            if !cell.is_empty() {
                *column(&mut raw) = Some(unescape_formula(cell));
            }
        }
        let reading = if self.row.len() != self.columns.len() {
            let reason = "must have as many cells as the header";
            Err(Rejection::new("the row", reason))
        } else if self.is_unterminated() && raw.data_id.is_none() {
            // A value of 7 may have been 72; a `data_id` detects that.
            let reason =
                "has no line break at its end, so it may be truncated: add one if it is complete";
            Err(Rejection::new("the row", reason))
        } else {
            raw.validate(&self.context)
        };
        RecordContent::Readings(vec![reading])
    }
}

/// Returns the length of a file that does not end with a line break.
fn unterminated_len(file: &mut File) -> io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        file.rewind()?;
    }
    Ok((!matches!(last, [b'\n' | b'\r'])).then_some(length))
}

fn column(name: &str) -> Option<Column> {
    let (_, column) = COLUMNS.iter().find(|(known, _)| *known == name)?;
    Some(*column)
}

/// Removes the apostrophe that an export puts in front of a text that a
/// spreadsheet would take for a formula, or that itself starts with one.
fn unescape_formula(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => text,
        _ => cell,
    }
}

/// Describes an error without the content of the row.
fn problem(error: &ErrorKind) -> String {
    match error {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => error.to_string(),
        ErrorKind::Io(error) => format!("cannot be read: {error}"),
        _ => "is not CSV".to_owned(),
    }
}

impl Iterator for CsvReadings {
    type Item = ReadResult;

    fn next(&mut self) -> Option<ReadResult> {
        if self.is_finished {
            return None;
        }
        self.rows.get_mut().reset(MAX_LINE_BYTES);
        let read = self.rows.read_record(&mut self.row);
        let start = match (&read, self.row.position()) {
            (Ok(_), Some(position)) => position.byte(),
            _ => self.rows.position().byte(),
        };
        let location = SourceLocation::new(Arc::clone(&self.file), start);
        match read {
            Ok(true) => Some(Ok(SourceRecord {
                location,
                name: None,
                content: self.content(),
            })),
            Ok(false) => {
                self.is_finished = true;
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::Utf8 { .. }) => {
                let start = error.position().map_or(start, Position::byte);
                let rejection = Rejection::new("the row", "must be UTF-8 text");
                let location = SourceLocation::new(location.file, start);
                Some(Ok(SourceRecord::rejected(location, rejection)))
            }
            Err(error) => {
                self.is_finished = true;
                Some(Err(SourceError::new(location, problem(error.kind()))))
            }
        }
    }
}
