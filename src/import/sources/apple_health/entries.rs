use quick_xml::events::BytesStart;

use super::attributes;
use crate::import::record::Rejection;

/// What the elements within a `Record` say of it.
#[derive(Default)]
pub struct Entries {
    pairs: Vec<(Box<str>, Box<str>)>,
    bytes: usize,
    left_out: u32,
}

impl Entries {
    /// The most bytes of keys and values that are kept. Those of real records
    /// have a few hundred; a reading's metadata may have 16 KiB in all.
    const MOST: usize = 8 * 1024;

    /// Adds a `MetadataEntry`, or counts it where there are too many.
    ///
    /// # Errors
    /// When its attributes are not well-formed.
    pub fn add(&mut self, tag: &BytesStart<'_>) -> Result<(), Rejection> {
        let (key, value) = attributes::entry(tag)?;
        let bytes = key.len() + value.len();
        let is_known = self.pairs.iter().any(|(known, _)| **known == *key);
        if key.is_empty() || is_known || self.bytes + bytes > Self::MOST {
            self.left_out = self.left_out.saturating_add(1);
        } else {
            self.bytes += bytes;
            self.pairs.push((key.into(), value.into()));
        }
        Ok(())
    }

    /// Keys, each of which is there once, and values.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (&**key, &**value))
    }

    /// How many were left out: without a key, with the key of another, or too
    /// many.
    pub fn left_out(&self) -> u32 {
        self.left_out
    }
}
