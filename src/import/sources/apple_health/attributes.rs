use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;
use quick_xml::events::attributes::Attribute;

use crate::import::record::Rejection;

/// What a `Record` says of itself.
#[derive(Default)]
pub struct Attributes<'a> {
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

impl<'a> Attributes<'a> {
    /// Reads the attributes of a tag. Those of other names are passed over;
    /// `creationDate` is one, for it says when the phone took the sample in.
    ///
    /// # Errors
    /// When they are not well-formed, or one stands there twice.
    pub fn of(tag: &'a BytesStart<'_>) -> Result<Self, Rejection> {
        let mut found = Self::default();
        each(tag, |name, attribute| {
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
        let (key, value) = entry(tag)?;
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

/// The `key` and the `value` of a `MetadataEntry`.
///
/// # Errors
/// When the attributes are not well-formed, or one stands there twice.
fn entry<'a>(tag: &'a BytesStart<'_>) -> Result<(Cow<'a, str>, Cow<'a, str>), Rejection> {
    let (mut key, mut value) = (None, None);
    each(tag, |name, attribute| match name {
        "key" => set(&mut key, attribute),
        "value" => set(&mut value, attribute),
        _ => Ok(()),
    })?;
    Ok((key.unwrap_or_default(), value.unwrap_or_default()))
}

fn each<'a>(
    tag: &'a BytesStart<'_>,
    mut take: impl FnMut(&str, &Attribute<'a>) -> Result<(), Rejection>,
) -> Result<(), Rejection> {
    let mut attributes = tag.attributes();
    // The parser would compare each name with all before it, for which a tag
    // of a million attributes takes hours; `set` finds those that matter.
    for attribute in attributes.with_checks(false) {
        let attribute = attribute.map_err(|_| Rejection::because("attribute", "is malformed"))?;
        take(attribute.key.into_inner(), &attribute)?;
    }
    Ok(())
}

fn set<'a>(field: &mut Option<Cow<'a, str>>, attribute: &Attribute<'a>) -> Result<(), Rejection> {
    if field.is_some() {
        return Err(Rejection::because("attribute", "is there twice"));
    }
    let value = attribute
        .normalized_value(XmlVersion::Explicit1_0)
        .map_err(|_| {
            Rejection::because(
                "attribute",
                "refers to a character or an entity that there is not",
            )
        })?;
    *field = Some(value);
    Ok(())
}
