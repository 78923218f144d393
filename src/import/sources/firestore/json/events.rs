//! Streaming JSON tokenizer that tracks offsets.

use std::io::{ErrorKind, Read};

use json_event_parser::{JsonEvent, LowLevelJsonParser, LowLevelJsonParserResult};

use super::limits::MAX_DOCUMENT_BYTES;
use crate::import::sources::firestore::value::MAX_DEPTH;

const INITIAL_BUFFER_BYTES: usize = 16 * 1024;

/// Maximum length of a string or number.
const MAX_TOKEN_BYTES: usize = 16 * 1024 * 1024;

/// Maximum depth of nested objects and arrays: those of a document plus those
/// around it. Firestore allows subcollections 100 levels deep
/// (<https://firebase.google.com/docs/firestore/quotas>), each of which takes
/// three levels of JSON.
const MAX_NESTING: usize = 300 + MAX_DEPTH;

/// Error that ends reading a JSON file.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// The text is not valid JSON.
    #[error("is not valid JSON from here on")]
    Syntax,
    /// The text ends within an object or array.
    #[error("the file is truncated within an object or array")]
    Truncated,
    /// A string or number is too long.
    #[error("a string or number is longer than {MAX_TOKEN_BYTES} bytes")]
    Token,
    /// A document is too long.
    #[error("a document takes more than {MAX_DOCUMENT_BYTES} bytes")]
    Document,
    /// Maps and arrays nest too deeply.
    #[error("maps and arrays nest more than {MAX_DEPTH} levels deep")]
    Depth,
    /// The JSON does not have the structure that the tool writes.
    #[error("expected a document or collection")]
    Shape,
    /// A document has a field twice.
    #[error("a document has the same field twice")]
    RepeatedField,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
}

/// JSON token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JsonToken {
    StartObject,
    EndObject,
    StartArray,
    EndArray,
    Key(String),
    String(String),
    /// The literal as written.
    Number(String),
    Boolean(bool),
    Null,
    End,
}

/// Tokens of a JSON text, which is read on demand.
pub(super) struct JsonTokens<R> {
    source: R,
    buffer: Vec<u8>,
    /// Range of the buffer that is not parsed yet.
    unparsed: std::ops::Range<usize>,
    is_eof: bool,
    offset: u64,
    parser: LowLevelJsonParser,
}

impl<R: Read> JsonTokens<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            unparsed: 0..0,
            is_eof: false,
            offset: 0,
            parser: LowLevelJsonParser::new().with_max_stack_size(MAX_NESTING),
        }
    }

    /// Returns the offset of the end of the last token.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn next(&mut self) -> Result<JsonToken, JsonError> {
        loop {
            let unparsed = self.buffer.get(self.unparsed.clone()).unwrap_or_default();
            let LowLevelJsonParserResult {
                consumed_bytes,
                event,
            } = self.parser.parse_next(unparsed, self.is_eof);
            let event = event.map(|event| event.map(JsonToken::from));
            self.unparsed.start += consumed_bytes;
            self.offset += u64::try_from(consumed_bytes).unwrap_or(u64::MAX);
            match event {
                Some(Ok(event)) => return Ok(event),
                // Any error at the end of the input means that it is truncated.
                Some(Err(_)) if self.is_eof && self.unparsed.is_empty() => {
                    return Err(JsonError::Truncated);
                }
                Some(Err(_)) => return Err(JsonError::Syntax),
                None if self.is_eof => return Err(JsonError::Truncated),
                None => self.read()?,
            }
        }
    }

    /// Reads more input, into a larger buffer if a token does not fit.
    fn read(&mut self) -> Result<(), JsonError> {
        self.buffer.copy_within(self.unparsed.clone(), 0);
        self.unparsed = 0..self.unparsed.len();
        if self.unparsed.end == self.buffer.len() {
            let larger = (self.buffer.len() * 2).max(INITIAL_BUFFER_BYTES);
            if larger > MAX_TOKEN_BYTES {
                return Err(JsonError::Token);
            }
            self.buffer.resize(larger, 0);
        }
        let free = self.buffer.get_mut(self.unparsed.end..);
        match self.source.read(free.unwrap_or_default()) {
            Ok(0) => self.is_eof = true,
            Ok(length) => self.unparsed.end += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl From<JsonEvent<'_>> for JsonToken {
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
