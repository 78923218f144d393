//! A document a line, as firestore-backfire and
//! `@endran/firestore-export-import` write it. A line that cannot be read costs
//! itself alone.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use super::events::{Event, Events, JsonError};
use super::limits::MAX_DOCUMENT_BYTES;
use super::tree::Item;
use super::values::Values;
use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::Value;

/// How a line holds a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// `{"path": …, "data": {…}, …}`
    Whole,
    /// `"path": {…},` between lines with a brace, of which the last may be
    /// missing.
    Member,
}

pub(super) struct Lines<R> {
    source: BufReader<R>,
    style: Line,
    offset: u64,
    line: Vec<u8>,
    is_done: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, style: Line) -> Self {
        Self {
            source: BufReader::new(source),
            style,
            offset: 0,
            line: Vec::new(),
            is_done: false,
        }
    }

    /// Reads a line; says whether there was one.
    fn read_line(&mut self) -> Result<bool, JsonError> {
        self.line.clear();
        let mut limited = self.source.by_ref().take(MAX_DOCUMENT_BYTES);
        let length = limited.read_until(b'\n', &mut self.line)?;
        if limited.limit() == 0 && !self.line.ends_with(b"\n") {
            return Err(JsonError::Document);
        }
        Ok(length > 0)
    }

    fn document(&self) -> Result<Option<Document>, JsonError> {
        let line = self.line.trim_ascii();
        match self.style {
            _ if line.is_empty() => Ok(None),
            Line::Member if line == b"{" || line == b"}" => Ok(None),
            Line::Member => {
                let member = line.strip_suffix(b",").unwrap_or(line);
                member_document(member).map(Some)
            }
            Line::Whole => whole_document(line).map(Some),
        }
    }
}

fn whole_document(line: &[u8]) -> Result<Document, JsonError> {
    let mut events = Events::new(line);
    let (mut path, mut fields) = (None, None);
    let mut event = events.next()?;
    if event != Event::StartObject {
        return Err(JsonError::Shape);
    }
    loop {
        event = events.next()?;
        let key = match event {
            Event::Key(key) => key,
            Event::EndObject => break,
            _ => return Err(JsonError::Syntax),
        };
        match (&*key, &mut path, &mut fields) {
            ("path", path @ None, _) => match events.next()? {
                Event::String(text) => *path = Some(text),
                _ => return Err(JsonError::Shape),
            },
            ("data", _, fields @ None) => match events.next()? {
                Event::StartObject => {
                    *fields = Some(Values::of(&mut events, MAX_DOCUMENT_BYTES).fields()?);
                }
                _ => return Err(JsonError::Shape),
            },
            ("path" | "data", ..) => return Err(JsonError::Twice),
            // `timestamps` among them: those are told by their form.
            _ => {
                Values::of(&mut events, MAX_DOCUMENT_BYTES).value()?;
            }
        }
    }
    end(&mut events)?;
    match (path, fields) {
        (Some(path), Some(fields)) => named(path, fields),
        _ => Err(JsonError::Shape),
    }
}

fn member_document(member: &[u8]) -> Result<Document, JsonError> {
    let mut events = Events::new(b"{".chain(member).chain(&b"}"[..]));
    let (Event::StartObject, Event::Key(path), Event::StartObject) =
        (events.next()?, events.next()?, events.next()?)
    else {
        return Err(JsonError::Shape);
    };
    let fields = Values::of(&mut events, MAX_DOCUMENT_BYTES).fields()?;
    match events.next()? {
        Event::EndObject => end(&mut events)?,
        _ => return Err(JsonError::Shape),
    }
    named(path, fields)
}

fn named(path: String, fields: BTreeMap<String, Value>) -> Result<Document, JsonError> {
    let segments = path.split('/');
    let is_path = segments.clone().all(|segment| !segment.is_empty());
    if !is_path || !segments.count().is_multiple_of(2) {
        return Err(JsonError::Shape);
    }
    Ok(Document { path, fields })
}

fn end<R: Read>(events: &mut Events<R>) -> Result<(), JsonError> {
    match events.next()? {
        Event::End => Ok(()),
        _ => Err(JsonError::Syntax),
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        while !self.is_done {
            let offset = self.offset;
            match self.read_line() {
                Ok(true) => {}
                Ok(false) => break,
                Err(fault) => {
                    self.is_done = true;
                    return Some(Err((offset, fault)));
                }
            }
            self.offset += u64::try_from(self.line.len()).unwrap_or(u64::MAX);
            let outcome = self.document().map_err(|fault| (offset, fault));
            if let Some(outcome) = outcome.transpose() {
                return Some(outcome.map(|document| (offset, document)));
            }
        }
        None
    }
}
