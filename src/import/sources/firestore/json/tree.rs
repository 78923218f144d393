//! A single object of collections, as node-firestore-import-export and
//! firestore-export-import write it.

use std::collections::BTreeMap;
use std::io::Read;

use super::events::{JsonError, JsonToken, JsonTokens};
use super::limits::MAX_DOCUMENT_BYTES;
use super::values::ValueReader;
use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::Value;

/// Representation of subcollections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SubCollections {
    /// In `__collections__`, by name; those of the database likewise.
    Named,
    /// In `subCollection`, by full path; those of the database are the file's own
    /// object.
    Pathed,
}

const NAMED: &str = "__collections__";
const PATHED: &str = "subCollection";

/// Reader of a tree of documents, which yields a document at its end, after those
/// in its subcollections. Memory holds the fields of one document per level.
pub(super) struct Tree<R> {
    tokens: JsonTokens<R>,
    style: SubCollections,
    /// Objects that have started but not ended, from the outside in.
    open: Vec<Frame>,
    state: TreeState,
}

#[derive(PartialEq, Eq)]
enum TreeState {
    Unread,
    Reading,
    Done,
}

enum Frame {
    /// The file's own object around `__collections__`.
    Root,
    /// An object of collections, with the path of their document and a slash.
    Collections(String),
    /// An object of documents.
    Collection(String),
    Document(OpenDocument),
}

struct OpenDocument {
    path: String,
    offset: u64,
    fields: BTreeMap<String, Value>,
    remaining: u64,
}

/// Document with the offset of its beginning.
pub(super) type DocumentResult = Result<(u64, Document), (u64, JsonError)>;

impl<R: Read> Tree<R> {
    pub(super) fn new(source: R, style: SubCollections) -> Self {
        Self {
            tokens: JsonTokens::new(source),
            style,
            open: Vec::new(),
            state: TreeState::Unread,
        }
    }

    /// Reads up to the end of a document; `None` at the end of the file.
    fn document(&mut self) -> Result<Option<(u64, Document)>, JsonError> {
        if self.state == TreeState::Unread {
            self.state = TreeState::Reading;
            self.start_object()?;
            self.open.push(match self.style {
                SubCollections::Named => Frame::Root,
                SubCollections::Pathed => Frame::Collections(String::new()),
            });
        }
        while let Some(frame) = self.open.pop() {
            let token = self.tokens.next()?;
            match (frame, token) {
                (Frame::Document(document), JsonToken::EndObject) => {
                    return Ok(Some(document.finish()));
                }
                (_, JsonToken::EndObject) => {}
                (frame, JsonToken::Key(key)) => self.member(frame, key)?,
                _ => return Err(JsonError::Syntax),
            }
        }
        match self.tokens.next()? {
            JsonToken::End => Ok(None),
            _ => Err(JsonError::Syntax),
        }
    }

    fn member(&mut self, mut frame: Frame, key: String) -> Result<(), JsonError> {
        let inner = match &mut frame {
            Frame::Root if key == NAMED => {
                self.start_object()?;
                Frame::Collections(String::new())
            }
            Frame::Root => return Err(JsonError::Shape),
            Frame::Collections(above) => {
                self.start_object()?;
                Frame::Collection(format!("{above}{key}"))
            }
            Frame::Collection(path) => {
                let path = format!("{path}/{key}");
                self.start_object()?;
                Frame::Document(OpenDocument {
                    path,
                    offset: self.tokens.offset().saturating_sub(1),
                    fields: BTreeMap::new(),
                    remaining: MAX_DOCUMENT_BYTES,
                })
            }
            Frame::Document(document) if key == NAMED && self.style == SubCollections::Named => {
                self.start_object()?;
                Frame::Collections(format!("{}/", document.path))
            }
            Frame::Document(document) => {
                let below = self.field(document, key)?;
                self.open.push(frame);
                if let Some(collection) = below {
                    self.open.push(Frame::Collections(String::new()));
                    self.open.push(Frame::Collection(collection));
                }
                return Ok(());
            }
        };
        self.open.push(frame);
        self.open.push(inner);
        Ok(())
    }

    /// Reads a field, or the start of the first subcollection of a document, whose
    /// path it returns. A field may have the name of the member for
    /// subcollections; only those have keys that start with the document's path.
    fn field(
        &mut self,
        document: &mut OpenDocument,
        key: String,
    ) -> Result<Option<String>, JsonError> {
        let is_candidate = key == PATHED && self.style == SubCollections::Pathed;
        let value = if is_candidate {
            match self.tokens.next()? {
                JsonToken::StartObject => {
                    let first = self.tokens.next()?;
                    if let JsonToken::Key(path) = &first
                        && let Some(name) = path.strip_prefix(&document.path)
                        && name.starts_with('/')
                    {
                        self.start_object()?;
                        return Ok(Some(path.clone()));
                    }
                    ValueReader::new(&mut self.tokens, &mut document.remaining)
                        .object(Some(first))?
                }
                token => ValueReader::new(&mut self.tokens, &mut document.remaining)
                    .value_from_token(token)?,
            }
        } else {
            ValueReader::new(&mut self.tokens, &mut document.remaining).value()?
        };
        match document.fields.insert(key, value) {
            None => Ok(None),
            Some(_) => Err(JsonError::RepeatedField),
        }
    }

    fn start_object(&mut self) -> Result<(), JsonError> {
        match self.tokens.next()? {
            JsonToken::StartObject => Ok(()),
            _ => Err(JsonError::Shape),
        }
    }
}

impl OpenDocument {
    fn finish(self) -> (u64, Document) {
        let document = Document {
            path: self.path,
            fields: self.fields,
        };
        (self.offset, document)
    }
}

impl<R: Read> Iterator for Tree<R> {
    type Item = DocumentResult;

    fn next(&mut self) -> Option<DocumentResult> {
        if self.state == TreeState::Done {
            return None;
        }
        let outcome = self.document();
        if !matches!(outcome, Ok(Some(_))) {
            self.state = TreeState::Done;
        }
        let offset = self.tokens.offset();
        outcome.map_err(|error| (offset, error)).transpose()
    }
}
