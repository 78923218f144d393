//! A record of an export: an `EntityProto`, the form in which Datastore and
//! Firestore keep a document (proto2, with groups).
//!
//! Its `key` (13) names the document, its `property` (14) and `raw_property`
//! (15) are the fields; Firestore puts most into 15 and empty arrays into 14.

use std::collections::BTreeMap;

use super::property::Property;
use super::wire::{Fields, Wire, WireError};
use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::{MAX_DEPTH, Value};

const KEY: u64 = 13;
const PROPERTY: u64 = 14;
const RAW_PROPERTY: u64 = 15;

/// The fields of a key, of which a reference to another document has the same.
pub(super) const APP: u64 = 13;
const PATH: u64 = 14;
pub(super) const DATABASE: u64 = 23;

/// A step of a key's path, and its fields.
const ELEMENT: u64 = 1;
const COLLECTION: u64 = 2;
const NUMBER: u64 = 3;
const NAME: u64 = 4;

/// Why bytes are not a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntityError {
    /// The bytes are no message.
    #[error("the record is not whole: {0}")]
    Wire(#[from] WireError),
    /// A name or a string is not UTF-8.
    #[error("a name or a string of the record is not UTF-8")]
    Text,
    /// There is no key, or one that names no document.
    #[error("the record's key names no document")]
    Key,
    /// A field has no name.
    #[error("a field of the record has no name")]
    Unnamed,
    /// A field is there twice but is no array.
    #[error("a field of the record is there twice and is no array")]
    Twice,
    /// A value is not of the type that its field says.
    #[error("a value of the record is not of the type it says it is")]
    Type,
    /// A timestamp that Firestore cannot have.
    #[error("a timestamp of the record is outside the years -9999 to 9999")]
    Timestamp,
    /// Maps lie deeper than [`MAX_DEPTH`].
    #[error("maps of the record lie more than {MAX_DEPTH} deep")]
    Depth,
}

/// Decodes the document in the bytes of a record.
///
/// # Errors
/// When they are no document, or not a whole one.
pub fn decode_entity(bytes: &[u8]) -> Result<Document, EntityError> {
    let mut path = None;
    for field in Fields::of(bytes) {
        if let (KEY, key) = field? {
            path = Some(key_path(key.bytes()?)?);
        }
    }
    Ok(Document {
        path: path.ok_or(EntityError::Key)?,
        fields: fields(bytes, 0)?,
    })
}

/// The fields of a document, or of a map `depth` levels below one.
pub(super) fn fields(entity: &[u8], depth: usize) -> Result<BTreeMap<String, Value>, EntityError> {
    if depth > MAX_DEPTH {
        return Err(EntityError::Depth);
    }
    let mut fields = BTreeMap::new();
    for field in Fields::of(entity) {
        if let (PROPERTY | RAW_PROPERTY, property) = field? {
            Property::decode(property.bytes()?, depth)?.put_into(&mut fields)?;
        }
    }
    Ok(fields)
}

fn key_path(key: &[u8]) -> Result<String, EntityError> {
    let mut document = DocumentPath::default();
    for field in Fields::of(key) {
        let (PATH, path) = field? else { continue };
        for element in Fields::of(path.bytes()?) {
            if let (ELEMENT, element) = element? {
                document.push(element.group()?, [COLLECTION, NUMBER, NAME])?;
            }
        }
    }
    document.whole()
}

/// Collections and ids in turn, put together from a key's elements.
#[derive(Default)]
pub(super) struct DocumentPath(String);

impl DocumentPath {
    /// Adds an element, whose fields have these numbers: collection, id as a
    /// number, id as text. What was an id by number in Datastore is
    /// `__id7__` in Firestore.
    pub(super) fn push(
        &mut self,
        element: &[u8],
        [collection, number, name]: [u64; 3],
    ) -> Result<(), EntityError> {
        let mut segments = [None, None];
        for field in Fields::of(element) {
            match field? {
                (field, Wire::Bytes(bytes)) if field == collection => {
                    segments[0] = Some(text(bytes)?.to_owned());
                }
                (field, Wire::Bytes(bytes)) if field == name => {
                    segments[1] = Some(text(bytes)?.to_owned());
                }
                (field, Wire::Varint(id)) if field == number => {
                    segments[1] = Some(format!("__id{}__", id.cast_signed()));
                }
                _ => {}
            }
        }
        for segment in segments {
            // Firestore allows no slash in either, so a path stays one.
            let segment = segment.filter(|segment| !segment.is_empty() && !segment.contains('/'));
            if !self.0.is_empty() {
                self.0.push('/');
            }
            self.0.push_str(&segment.ok_or(EntityError::Key)?);
        }
        Ok(())
    }

    pub(super) fn whole(self) -> Result<String, EntityError> {
        if self.0.is_empty() {
            return Err(EntityError::Key);
        }
        Ok(self.0)
    }
}

pub(super) fn text(bytes: &[u8]) -> Result<&str, EntityError> {
    str::from_utf8(bytes).map_err(|_| EntityError::Text)
}
