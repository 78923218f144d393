//! A record of an export: an `EntityProto`, the representation of a document in
//! Datastore and Firestore (proto2, with groups).
//!
//! Its `key` (13) names the document; its `property` (14) and `raw_property`
//! (15) are the fields. Firestore puts most into 15, and empty arrays into 14.

use super::document_path::{COLLECTION, DocumentPath, ELEMENT, NAME, NUMBER, PATH};
use super::error::EntityError;
use super::property::fields;
use super::wire::WireFields;
use crate::import::sources::firestore::document::Document;

const KEY: u64 = 13;

/// Decodes the document in a record.
///
/// # Errors
/// The bytes are not a complete, valid document.
pub fn decode_entity(bytes: &[u8]) -> Result<Document, EntityError> {
    let mut path = None;
    for field in WireFields::new(bytes) {
        if let (KEY, key) = field? {
            path = Some(key_path(key.bytes()?)?);
        }
    }
    Ok(Document {
        path: path.ok_or(EntityError::Key)?,
        fields: fields(bytes, 0)?,
    })
}

fn key_path(key: &[u8]) -> Result<String, EntityError> {
    let mut document = DocumentPath::default();
    for field in WireFields::new(key) {
        let (PATH, path) = field? else { continue };
        for element in WireFields::new(path.bytes()?) {
            if let (ELEMENT, element) = element? {
                document.push(element.group()?, [COLLECTION, NUMBER, NAME])?;
            }
        }
    }
    document.finish()
}
