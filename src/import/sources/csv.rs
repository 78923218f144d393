use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use csv::{ErrorKind, Position, Reader, ReaderBuilder, StringRecord};

use super::LONGEST;
use crate::import::limited_reader::LimitedReader;
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::{Content, Found, Record, Rejection};
use crate::import::source_location::{SourceError, SourceLocation};

/// Reads a reading a row, under a header that names the members in any order.
pub struct CsvReadings {
    rows: Reader<LimitedReader<File>>,
    columns: Vec<Column>,
    file: Arc<str>,
    row: StringRecord,
    /// The file's length, if no line break is at its end.
    unended: Option<u64>,
    context: ImportContext,
    is_finished: bool,
}

const TOO_LONG: &str = "a row is longer than 1 MiB: is a quotation mark not closed?";

/// Which member of a reading a column holds.
type Column = for<'d, 'a> fn(&'d mut RawReading<'a>) -> &'d mut Option<&'a str>;

/// The columns by name, as an export has them.
const COLUMNS: [(&str, Column); 10] = [
    ("data_id", |draft| &mut draft.data_id),
    ("user_id", |draft| &mut draft.user_id),
    ("data_type", |draft| &mut draft.data_type),
    ("value", |draft| &mut draft.value),
    ("timestamp", |draft| &mut draft.timestamp),
    ("unit", |draft| &mut draft.unit),
    ("metadata", |draft| &mut draft.metadata),
    ("client_record_id", |draft| &mut draft.client_record_id),
    ("client_record_version", |draft| {
        &mut draft.client_record_version
    }),
    ("created_at", |draft| &mut draft.created_at),
];

impl CsvReadings {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// When it cannot be read, or its header names something else than members
    /// of a reading.
    pub fn open(path: &Path, context: ImportContext) -> Result<Self, SourceError> {
        let place = SourceLocation::start_of(path);
        let unreadable = |error| SourceError::unreadable(place.clone(), &error);
        let mut file = File::open(path).map_err(unreadable)?;
        let unended = unended(&mut file).map_err(unreadable)?;
        let file = LimitedReader::new(file, LONGEST, TOO_LONG);
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
            Err(error) => return Err(SourceError::new(place, problem(error.kind()))),
        };
        let columns = columns.map_err(|index| {
            let names = COLUMNS.map(|(name, _)| name).join(", ");
            let problem = format!("column {} is none of {names}, or there twice", index + 1);
            SourceError::new(place.clone(), problem)
        })?;
        Ok(Self {
            rows,
            columns,
            file: place.file,
            row: StringRecord::new(),
            unended,
            context,
            is_finished: false,
        })
    }

    /// Whether the row just read goes up to the end of a file that does not end
    /// with a line break.
    fn is_unended(&self) -> bool {
        let end = self.rows.position().byte();
        self.unended.is_some_and(|length| end >= length)
    }

    fn reading(&self) -> Content {
        let mut draft = RawReading::default();
        for (column, cell) in self.columns.iter().zip(&self.row) {
            if !cell.is_empty() {
                *column(&mut draft) = Some(without_defusing(cell));
            }
        }
        let reading = if self.row.len() != self.columns.len() {
            let reason = "must have as many cells as the header";
            Err(Rejection::because("the row", reason))
        } else if self.is_unended() && draft.data_id.is_none() {
            // 7 may have been 72; an id would tell.
            let reason =
                "has no line break at its end, so that it may be cut off: add one if it is whole";
            Err(Rejection::because("the row", reason))
        } else {
            draft.check(&self.context)
        };
        Content::Readings(vec![reading])
    }
}

/// The length of a file, unless a line break is at its end.
fn unended(file: &mut File) -> io::Result<Option<u64>> {
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

/// The text of a cell without the apostrophe that an export puts before what a
/// spreadsheet would take for a formula, and before an apostrophe.
fn without_defusing(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => text,
        _ => cell,
    }
}

/// What is wrong, without what the row holds.
fn problem(error: &ErrorKind) -> String {
    match error {
        ErrorKind::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => error.to_string(),
        ErrorKind::Io(error) => format!("cannot be read: {error}"),
        _ => "is not CSV".to_owned(),
    }
}

impl Iterator for CsvReadings {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.is_finished {
            return None;
        }
        self.rows.get_mut().reset(LONGEST);
        let read = self.rows.read_record(&mut self.row);
        let start = match (&read, self.row.position()) {
            (Ok(_), Some(position)) => position.byte(),
            _ => self.rows.position().byte(),
        };
        let place = SourceLocation::new(Arc::clone(&self.file), start);
        match read {
            Ok(true) => Some(Ok(Record {
                place,
                name: None,
                content: self.reading(),
            })),
            Ok(false) => {
                self.is_finished = true;
                None
            }
            Err(error) if matches!(error.kind(), ErrorKind::Utf8 { .. }) => {
                let start = error.position().map_or(start, Position::byte);
                let rejection = Rejection::because("the row", "must be UTF-8 text");
                let place = SourceLocation::new(place.file, start);
                Some(Ok(Record::rejected(place, rejection)))
            }
            Err(error) => {
                self.is_finished = true;
                Some(Err(SourceError::new(place, problem(error.kind()))))
            }
        }
    }
}
