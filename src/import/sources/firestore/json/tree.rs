//! One object of collections, as node-firestore-import-export and
//! firestore-export-import write it.

use std::collections::BTreeMap;
use std::io::Read;

use super::events::{Event, Events, JsonError};
use super::limits::MAX_DOCUMENT_BYTES;
use super::values::Values;
use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::Value;

/// How a tool writes the collections below a document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SubCollections {
    /// In `__collections__`, by their names; so are those of the database.
    Named,
    /// In `subCollection`, by their whole paths; those of the database are the
    /// file's own object.
    Pathed,
}

const NAMED: &str = "__collections__";
const PATHED: &str = "subCollection";

/// Gives documents as they end, so those below a document before it. What is
/// in memory are the fields of one document for each level.
pub(super) struct Tree<R> {
    events: Events<R>,
    style: SubCollections,
    /// What has begun and not ended, from the outside in.
    open: Vec<Frame>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Unread,
    Reading,
    Done,
}

enum Frame {
    /// The file's own object around `__collections__`.
    Root,
    /// An object of collections, below this document's path with its slash.
    Collections(String),
    /// An object of documents.
    Collection(String),
    Document(OpenDocument),
}

struct OpenDocument {
    path: String,
    offset: u64,
    fields: BTreeMap<String, Value>,
    left: u64,
}

/// A document and the place of its beginning.
pub(super) type Item = Result<(u64, Document), (u64, JsonError)>;

impl<R: Read> Tree<R> {
    pub(super) fn new(source: R, style: SubCollections) -> Self {
        Self {
            events: Events::new(source),
            style,
            open: Vec::new(),
            state: State::Unread,
        }
    }

    /// Reads on to the end of a document; nothing at the end of the file.
    fn document(&mut self) -> Result<Option<(u64, Document)>, JsonError> {
        if self.state == State::Unread {
            self.state = State::Reading;
            self.start_object()?;
            self.open.push(match self.style {
                SubCollections::Named => Frame::Root,
                SubCollections::Pathed => Frame::Collections(String::new()),
            });
        }
        while let Some(frame) = self.open.pop() {
            let event = self.events.next()?;
            match (frame, event) {
                (Frame::Document(document), Event::EndObject) => {
                    return Ok(Some(document.whole()));
                }
                (_, Event::EndObject) => {}
                (frame, Event::Key(key)) => self.member(frame, key)?,
                _ => return Err(JsonError::Syntax),
            }
        }
        match self.events.next()? {
            Event::End => Ok(None),
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
                    offset: self.events.offset().saturating_sub(1),
                    fields: BTreeMap::new(),
                    left: MAX_DOCUMENT_BYTES,
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

    /// Reads a field, or into the first of the collections below a document,
    /// which it gives the path of. A field may have the name that those are
    /// under; the paths tell which it is.
    fn field(
        &mut self,
        document: &mut OpenDocument,
        key: String,
    ) -> Result<Option<String>, JsonError> {
        let start = self.events.offset();
        let is_candidate = key == PATHED && self.style == SubCollections::Pathed;
        let value = if is_candidate {
            match self.events.next()? {
                Event::StartObject => {
                    let first = self.events.next()?;
                    if let Event::Key(path) = &first
                        && let Some(name) = path.strip_prefix(&document.path)
                        && name.starts_with('/')
                    {
                        self.start_object()?;
                        return Ok(Some(path.clone()));
                    }
                    Values::of(&mut self.events, document.left).object(Some(first))?
                }
                event => Values::of(&mut self.events, document.left).value_from_event(event)?,
            }
        } else {
            Values::of(&mut self.events, document.left).value()?
        };
        let length = self.events.offset() - start;
        document.left = document.left.saturating_sub(length);
        match document.fields.insert(key, value) {
            None => Ok(None),
            Some(_) => Err(JsonError::Twice),
        }
    }

    fn start_object(&mut self) -> Result<(), JsonError> {
        match self.events.next()? {
            Event::StartObject => Ok(()),
            _ => Err(JsonError::Shape),
        }
    }
}

impl OpenDocument {
    fn whole(self) -> (u64, Document) {
        let document = Document {
            path: self.path,
            fields: self.fields,
        };
        (self.offset, document)
    }
}

impl<R: Read> Iterator for Tree<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.state == State::Done {
            return None;
        }
        let outcome = self.document();
        if !matches!(outcome, Ok(Some(_))) {
            self.state = State::Done;
        }
        let offset = self.events.offset();
        outcome.map_err(|fault| (offset, fault)).transpose()
    }
}
