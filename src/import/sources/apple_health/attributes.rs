use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;

use crate::import::record::Rejection;

/// Attributes of a `Record`.
#[derive(Default)]
pub struct RecordAttributes<'a> {
    /// `type`
    pub kind: Option<Cow<'a, str>>,
    /// `value`
    pub value: Option<Cow<'a, str>>,
    /// `unit`
    pub unit: Option<Cow<'a, str>>,
    /// `startDate`
    pub start: Option<Cow<'a, str>>,
    /// `endDate`
    pub end: Option<Cow<'a, str>>,
    /// `sourceName`
    pub source: Option<Cow<'a, str>>,
    /// `sourceVersion`
    pub source_version: Option<Cow<'a, str>>,
    /// `device`
    pub device: Option<Cow<'a, str>>,
}

impl<'a> RecordAttributes<'a> {
    /// Reads the attributes of a tag and ignores others, among them
    /// `creationDate`, the time at which the phone recorded the sample.
    ///
    /// # Errors
    /// An attribute is malformed or repeated.
    pub fn from_tag(tag: &'a BytesStart<'_>) -> Result<Self, Rejection> {
        let mut found = Self::default();
        for_each(tag, |name, attribute| {
            let field = match name {
                "type" => &mut found.kind,
                "value" => &mut found.value,
                "unit" => &mut found.unit,
                "startDate" => &mut found.start,
                "endDate" => &mut found.end,
                "sourceName" => &mut found.source,
                "sourceVersion" => &mut found.source_version,
                "device" => &mut found.device,
                _ => return Ok(()),
            };
            set(field, attribute)
        })?;
        Ok(found)
    }
}

/// Metadata entries of a `Record`.
#[derive(Default)]
pub struct MetadataEntries {
    pairs: Vec<(Box<str>, Box<str>)>,
    bytes: usize,
    omitted: u32,
}

impl MetadataEntries {
    /// Maximum size of all keys and values. Real records have a few hundred bytes; the
    /// metadata of a reading may have 16 KiB.
    const MAX_BYTES: usize = 8 * 1024;

    /// Adds a `MetadataEntry`, or counts it as omitted.
    ///
    /// # Errors
    /// Its attributes are malformed or repeated.
    pub fn add(&mut self, tag: &BytesStart<'_>) -> Result<(), Rejection> {
        let (key, value) = read_entry(tag)?;
        let bytes = key.len() + value.len();
        let is_known = self.pairs.iter().any(|(known, _)| **known == *key);
        if key.is_empty() || is_known || self.bytes + bytes > Self::MAX_BYTES {
            self.omitted = self.omitted.saturating_add(1);
        } else {
            self.bytes += bytes;
            self.pairs.push((key.into(), value.into()));
        }
        Ok(())
    }

    /// Returns the distinct keys with their values.
    pub fn pairs(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Returns the number of omitted entries: without a key, with a repeated key,
    /// or beyond the limit.
    pub fn omitted(&self) -> u32 {
        self.omitted
    }
}

/// Reads the `key` and the `value` of a `MetadataEntry`.
fn read_entry<'a>(tag: &'a BytesStart<'_>) -> Result<(Cow<'a, str>, Cow<'a, str>), Rejection> {
    let (mut key, mut value) = (None, None);
    for_each(tag, |name, attribute| match name {
        "key" => set(&mut key, attribute),
        "value" => set(&mut value, attribute),
        _ => Ok(()),
    })?;
    Ok((key.unwrap_or_default(), value.unwrap_or_default()))
}

fn for_each<'a>(
    tag: &'a BytesStart<'_>,
    mut accept: impl FnMut(&str, &Attribute<'a>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let mut attributes = tag.attributes();
    // The parser's own check for duplicates is quadratic: a tag with a million
    // attributes would take hours. `set` checks the relevant ones.
    for attribute in attributes.with_checks(false) {
        let attribute = attribute.map_err(|_| Rejection::new("attribute", "is malformed"))?;
        accept(attribute.key.into_inner(), &attribute)?;
    }
    Ok(())
}

fn set<'a>(field: &mut Option<Cow<'a, str>>, attribute: &Attribute<'a>) -> Result<(), Rejection> {
    if field.is_some() {
        return Err(Rejection::new("attribute", "appears twice"));
    }
    let value = attribute
        .normalized_value(XmlVersion::Explicit1_0)
        .map_err(|_| Rejection::new("attribute", "refers to an unknown character or entity"))?;
    *field = Some(value);
    Ok(())
}
