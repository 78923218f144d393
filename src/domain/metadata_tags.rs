use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Metadata;
use super::metadata::JsonText;

/// Members of the metadata that distinguish readings of one data type, which then must
/// not be aggregated.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct MetadataTags<'a> {
    /// Measurement interval: the string `granularity`, or the JSON of another value,
    /// such as `60`.
    pub granularity: Option<Cow<'a, str>>,
    /// Origin: `source`, if it is a string.
    pub source: Option<Cow<'a, str>>,
    /// Unit: `unit`, if it is a string.
    pub unit: Option<Cow<'a, str>>,
}

impl Metadata {
    /// Returns the members that distinguish readings of one data type.
    pub fn tags(&self) -> MetadataTags<'_> {
        // Fast path, as many readings have no metadata.
        let members: TaggedMembers<'_> = match self.as_str() {
            "{}" => return MetadataTags::default(),
            metadata => serde_json::from_str(metadata).unwrap_or_default(),
        };
        MetadataTags {
            granularity: members
                .granularity
                .map(|json| text(json).unwrap_or_else(|| json.get().into())),
            source: members.source.and_then(text),
            unit: members.unit.and_then(text),
        }
    }
}

#[derive(Default, Deserialize)]
struct TaggedMembers<'a> {
    #[serde(borrow)]
    granularity: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    unit: Option<&'a RawValue>,
}

/// Returns the value if it is a string.
fn text(json: &RawValue) -> Option<Cow<'_, str>> {
    let JsonText(text) = serde_json::from_str(json.get()).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_granularity_accepts_other_types_than_strings() {
        let tags = |json: &str| {
            let metadata = Metadata::parse(json).unwrap();
            let MetadataTags {
                granularity,
                source,
                unit,
            } = metadata.tags();
            [granularity, source, unit].map(|tag| tag.map(Cow::into_owned))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(tags("{}"), [None, None, None]);
        assert_eq!(
            tags(r#"{"granularity":"day","source":"a\u0022b","unit":"kg","x":1}"#),
            [some("day"), some("a\"b"), some("kg")]
        );
        assert_eq!(
            tags(r#"{"granularity":60,"source":7,"unit":true}"#),
            [some("60"), None, None]
        );
        assert_eq!(tags(r#"{"granularity":null}"#), [None, None, None]);
    }
}
