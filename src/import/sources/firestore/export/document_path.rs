//! The path of a document in a key or reference.

use super::error::EntityError;
use super::wire::{Wire, WireFields};

/// Fields of a key; those of a reference are the same except its path.
pub(super) const APP: u64 = 13;
pub(super) const PATH: u64 = 14;
pub(super) const DATABASE: u64 = 23;

/// Element of a key's path, and the fields of an element.
pub(super) const ELEMENT: u64 = 1;
pub(super) const COLLECTION: u64 = 2;
pub(super) const NUMBER: u64 = 3;
pub(super) const NAME: u64 = 4;

/// Path under construction: alternating collections and ids.
#[derive(Default)]
pub(super) struct DocumentPath(String);

impl DocumentPath {
    /// Appends an element with these field numbers: collection, numeric id, text
    /// id. The numeric id 7 of Datastore is `__id7__` in Firestore.
    pub(super) fn push(
        &mut self,
        element: &[u8],
        [collection, number, name]: [u64; 3],
    ) -> Result<(), EntityError> {
        let mut segments = [None, None];
        for field in WireFields::new(element) {
            match field? {
                (field, Wire::Bytes(bytes)) if field == collection => {
                    segments[0] = Some(utf8(bytes)?.to_owned());
                }
                (field, Wire::Bytes(bytes)) if field == name => {
                    segments[1] = Some(utf8(bytes)?.to_owned());
                }
                (field, Wire::Varint(id)) if field == number => {
                    segments[1] = Some(format!("__id{}__", id.cast_signed()));
                }
                _ => {}
            }
        }
        for segment in segments {
            // Firestore forbids slashes in both, so the path is unambiguous.
            let segment = segment.filter(|segment| !segment.is_empty() && !segment.contains('/'));
            if !self.0.is_empty() {
                self.0.push('/');
            }
            self.0.push_str(&segment.ok_or(EntityError::Key)?);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<String, EntityError> {
        if self.0.is_empty() {
            return Err(EntityError::Key);
        }
        Ok(self.0)
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, EntityError> {
    str::from_utf8(bytes).map_err(|_| EntityError::Text)
}
