//! One document per line, as firestore-backfire and
//! `@endran/firestore-export-import` write it. An unreadable line does not affect
//! the others.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use super::events::{JsonError, JsonToken, JsonTokens};
use super::limits::MAX_DOCUMENT_BYTES;
use super::tree::DocumentResult;
use super::values::ValueReader;
use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::Value;

/// Structure of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LineStyle {
    /// `{"path": …, "data": {…}, …}`
    Whole,
    /// `"path": {…},` between lines with a brace, of which the last may be
    /// missing.
    Member,
}

/// Reader of a file with one document per line.
pub(super) struct Lines<R> {
    source: BufReader<R>,
    style: LineStyle,
    offset: u64,
    line: Vec<u8>,
    is_done: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, style: LineStyle) -> Self {
        Self {
            source: BufReader::new(source),
            style,
            offset: 0,
            line: Vec::new(),
            is_done: false,
        }
    }

    /// Reads a line. Returns false at the end of the file.
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
            LineStyle::Member if line == b"{" || line == b"}" => Ok(None),
            LineStyle::Member => {
                let member = line.strip_suffix(b",").unwrap_or(line);
                member_document(member).map(Some)
            }
            LineStyle::Whole => whole_document(line).map(Some),
        }
    }
}

fn whole_document(line: &[u8]) -> Result<Document, JsonError> {
    let mut remaining = MAX_DOCUMENT_BYTES;
    let mut tokens = JsonTokens::new(line);
    let (mut path, mut fields) = (None, None);
    let mut token = tokens.next()?;
    if token != JsonToken::StartObject {
        return Err(JsonError::Shape);
    }
    loop {
        token = tokens.next()?;
        let key = match token {
            JsonToken::Key(key) => key,
            JsonToken::EndObject => break,
            _ => return Err(JsonError::Syntax),
        };
        match (&*key, &mut path, &mut fields) {
            ("path", path @ None, _) => match tokens.next()? {
                JsonToken::String(text) => *path = Some(text),
                _ => return Err(JsonError::Shape),
            },
            ("data", _, fields @ None) => match tokens.next()? {
                JsonToken::StartObject => {
                    *fields = Some(ValueReader::new(&mut tokens, &mut remaining).fields()?);
                }
                _ => return Err(JsonError::Shape),
            },
            ("path" | "data", ..) => return Err(JsonError::RepeatedField),
            // Among them `timestamps`: timestamps are recognized by their form.
            _ => {
                ValueReader::new(&mut tokens, &mut remaining).value()?;
            }
        }
    }
    end(&mut tokens)?;
    match (path, fields) {
        (Some(path), Some(fields)) => checked_document(path, fields),
        _ => Err(JsonError::Shape),
    }
}

fn member_document(member: &[u8]) -> Result<Document, JsonError> {
    let mut remaining = MAX_DOCUMENT_BYTES;
    let mut tokens = JsonTokens::new(b"{".chain(member).chain(&b"}"[..]));
    let (JsonToken::StartObject, JsonToken::Key(path), JsonToken::StartObject) =
        (tokens.next()?, tokens.next()?, tokens.next()?)
    else {
        return Err(JsonError::Shape);
    };
    let fields = ValueReader::new(&mut tokens, &mut remaining).fields()?;
    match tokens.next()? {
        JsonToken::EndObject => end(&mut tokens)?,
        _ => return Err(JsonError::Shape),
    }
    checked_document(path, fields)
}

fn checked_document(path: String, fields: BTreeMap<String, Value>) -> Result<Document, JsonError> {
    let segments = path.split('/');
    let is_path = segments.clone().all(|segment| !segment.is_empty());
    if !is_path || !segments.count().is_multiple_of(2) {
        return Err(JsonError::Shape);
    }
    Ok(Document { path, fields })
}

fn end<R: Read>(tokens: &mut JsonTokens<R>) -> Result<(), JsonError> {
    match tokens.next()? {
        JsonToken::End => Ok(()),
        _ => Err(JsonError::Syntax),
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = DocumentResult;

    fn next(&mut self) -> Option<DocumentResult> {
        while !self.is_done {
            let offset = self.offset;
            match self.read_line() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.is_done = true;
                    return Some(Err((offset, error)));
                }
            }
            self.offset += u64::try_from(self.line.len()).unwrap_or(u64::MAX);
            let outcome = self.document().map_err(|error| (offset, error));
            if let Some(outcome) = outcome.transpose() {
                return Some(outcome.map(|document| (offset, document)));
            }
        }
        None
    }
}
