//! The path of a document, as keys and references encode it.

use super::error::EntityError;
use super::wire::{Fields, Wire};

/// Fields of a key.
pub(super) const APP: u64 = 13;
pub(super) const PATH: u64 = 14;
pub(super) const DATABASE: u64 = 23;

/// A step of a key's path, and its fields.
pub(super) const ELEMENT: u64 = 1;
pub(super) const COLLECTION: u64 = 2;
pub(super) const NUMBER: u64 = 3;
pub(super) const NAME: u64 = 4;

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
