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

/// The `key` and the `value` of a `MetadataEntry`.
///
/// # Errors
/// When the attributes are not well-formed, or one stands there twice.
pub fn entry<'a>(tag: &'a BytesStart<'_>) -> Result<(Cow<'a, str>, Cow<'a, str>), Rejection> {
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
