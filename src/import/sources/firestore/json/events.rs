//! JSON piece by piece, with where each piece is.

use std::io::{ErrorKind, Read};

use json_event_parser::{JsonEvent, LowLevelJsonParser, LowLevelJsonParserResult};

use super::limits::MAX_DOCUMENT_BYTES;
use crate::import::sources::firestore::value::MAX_DEPTH;

const FIRST_BUFFER_BYTES: usize = 16 * 1024;

/// The longest single string or number.
const MAX_TOKEN_BYTES: usize = 16 * 1024 * 1024;

/// Objects and arrays within each other: those of a document, and those around
/// it; Firestore allows sub-collections 100 deep
/// (<https://firebase.google.com/docs/firestore/quotas>), of three levels each.
const MAX_NESTING: usize = 300 + MAX_DEPTH;

/// Why JSON cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// A syntax error.
    #[error("is not valid JSON from there on")]
    Syntax,
    /// The text ends where more must follow.
    #[error("the file ends within an object or array: it was cut off")]
    CutOff,
    /// A string or number that is too long.
    #[error("a string or number is longer than {MAX_TOKEN_BYTES} bytes")]
    Token,
    /// A document that is too long.
    #[error("a document is longer than {MAX_DOCUMENT_BYTES} bytes")]
    Document,
    /// Maps and arrays too deep in one another.
    #[error("maps and arrays lie more than {MAX_DEPTH} deep")]
    Depth,
    /// JSON, but not of the tool.
    #[error("holds something else where a document or collection should be")]
    Shape,
    /// A field that is there twice.
    #[error("the same field is there twice in a document")]
    Twice,
    /// The operating system gives no more of the file.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
}

/// A piece of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Event {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Key(String),
    String(String),
    /// As it is written.
    Number(String),
    Boolean(bool),
    Null,
    End,
}

/// The pieces of a JSON text that is read as they are asked for.
pub(super) struct Events<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer is read but not parsed.
    unparsed: std::ops::Range<usize>,
    is_ending: bool,
    offset: u64,
    parser: LowLevelJsonParser,
}

impl<R: Read> Events<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            unparsed: 0..0,
            is_ending: false,
            offset: 0,
            parser: LowLevelJsonParser::new().with_max_stack_size(MAX_NESTING),
        }
    }

    /// Where the last piece ends, in bytes from the beginning.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn next(&mut self) -> Result<Event, JsonError> {
        loop {
            let unparsed = self.buffer.get(self.unparsed.clone()).unwrap_or_default();
            let LowLevelJsonParserResult {
                consumed_bytes,
                event,
            } = self.parser.parse_next(unparsed, self.is_ending);
            let event = event.map(|event| event.map(Event::from));
            self.unparsed.start += consumed_bytes;
            self.offset += u64::try_from(consumed_bytes).unwrap_or(u64::MAX);
            match event {
                Some(Ok(event)) => return Ok(event),
                // Whatever is wrong at the very end is that there is no more.
                Some(Err(_)) if self.is_ending && self.unparsed.is_empty() => {
                    return Err(JsonError::CutOff);
                }
                Some(Err(_)) => return Err(JsonError::Syntax),
                None if self.is_ending => return Err(JsonError::CutOff),
                None => self.read()?,
            }
        }
    }

    /// Reads more, into a longer buffer when a token does not fit.
    fn read(&mut self) -> Result<(), JsonError> {
        self.buffer.copy_within(self.unparsed.clone(), 0);
        self.unparsed = 0..self.unparsed.len();
        if self.unparsed.end == self.buffer.len() {
            let longer = (self.buffer.len() * 2).max(FIRST_BUFFER_BYTES);
            if longer > MAX_TOKEN_BYTES {
                return Err(JsonError::Token);
            }
            self.buffer.resize(longer, 0);
        }
        let free = self.buffer.get_mut(self.unparsed.end..);
        match self.source.read(free.unwrap_or_default()) {
            Ok(0) => self.is_ending = true,
            Ok(length) => self.unparsed.end += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl From<JsonEvent<'_>> for Event {
    fn from(event: JsonEvent<'_>) -> Self {
        match event {
            JsonEvent::StartObject => Self::StartObject,
            JsonEvent::EndObject => Self::EndObject,
            JsonEvent::StartArray => Self::StartArray,
            JsonEvent::EndArray => Self::EndArray,
            JsonEvent::ObjectKey(key) => Self::Key(key.into_owned()),
            JsonEvent::String(text) => Self::String(text.into_owned()),
            JsonEvent::Number(digits) => Self::Number(digits.into_owned()),
            JsonEvent::Boolean(bit) => Self::Boolean(bit),
            JsonEvent::Null => Self::Null,
            JsonEvent::Eof => Self::End,
        }
    }
}
