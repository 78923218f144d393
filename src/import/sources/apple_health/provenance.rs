use serde_json::{Map, Value};

use super::attributes::Attributes;
use super::device;
use super::entries::Entries;
use crate::domain::{Invalid, MeasurementTime, Metadata};

/// Where a reading comes from, as its metadata say it.
///
/// | member | what it is |
/// | --- | --- |
/// | `source`, `source_version` | the app or device that wrote it |
/// | `device` | what measured it: `name`, `manufacturer`, `model`, `hardware`, `software` |
/// | `start` | when the measurement began, if it took time |
/// | `healthkit` | the metadata entries by their keys |
/// | `healthkit_left_out` | how many of those there was no room for |
pub struct Provenance(Map<String, Value>);

impl Provenance {
    /// Where a record with these attributes and entries comes from; `start` is
    /// given if it is not also the record's end.
    pub fn of(
        attributes: &Attributes<'_>,
        entries: &Entries,
        start: Option<&MeasurementTime>,
    ) -> Self {
        let mut members = Map::new();
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        let text = |value: &Option<std::borrow::Cow<'_, str>>| {
            let value = value.as_deref().filter(|value| !value.is_empty())?;
            Some(Value::from(value))
        };
        add("source", text(&attributes.source));
        add("source_version", text(&attributes.source_version));
        let device = attributes
            .device
            .as_deref()
            .filter(|device| !device.is_empty());
        add("device", device.map(device::parse));
        add("start", start.map(|start| start.to_string().into()));
        if entries.pairs().len() > 0 {
            let pairs: Map<String, Value> = entries
                .pairs()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect();
            add("healthkit", Some(pairs.into()));
        }
        let left_out = entries.left_out();
        add(
            "healthkit_left_out",
            (left_out > 0).then(|| left_out.into()),
        );
        Self(members)
    }

    /// Also says this.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// All of it as metadata.
    ///
    /// # Errors
    /// When it is larger than metadata may be.
    pub fn metadata(&self) -> Result<Metadata, Invalid> {
        if self.0.is_empty() {
            return Ok(Metadata::default());
        }
        // Maps of texts always have a JSON form: nothing is defaulted here.
        let json = serde_json::to_string(&self.0).unwrap_or_default();
        // They are sorted and written without spaces, which is the canonical form.
        Metadata::from_canonical(json)
    }
}

#[cfg(test)]
mod tests {
    use quick_xml::events::BytesStart;

    use super::*;
    use crate::domain::MeasurementTime;

    #[test]
    fn metadata_are_canonical_as_they_are_written() {
        let tag = "Record sourceName=\"J&#xE4;ne&quot;s \\ watch\u{b}\" sourceVersion=\"1\" \
                   device=\"&lt;&lt;HKDevice: 0x1&gt;, name:Watch, Manufacturer:A, é:x&gt;\"";
        let tag = BytesStart::from_content(tag, "Record".len());
        let mut entries = Entries::default();
        for attributes in [
            "key='b' value='/&lt;'",
            "key='A' value=''",
            "key='' value=''",
        ] {
            let entry = format!("MetadataEntry {attributes}");
            let entry = BytesStart::from_content(entry, "MetadataEntry".len());
            entries.add(&entry).unwrap();
        }
        let start = MeasurementTime::parse_any("2023-01-05T07:30:00+01:00").unwrap();
        let attributes = Attributes::of(&tag).unwrap();
        let provenance = Provenance::of(&attributes, &entries, Some(&start)).with("unit", "µ");
        let metadata = provenance.metadata().unwrap();
        assert_eq!(Metadata::parse(metadata.as_str()).unwrap(), metadata);
        let expected = concat!(
            r#"{"device":{"Manufacturer":"A","name":"Watch","é":"x"},"#,
            r#""healthkit":{"A":"","b":"/<"},"healthkit_left_out":1,"#,
            r#""source":"Jäne\"s \\ watch\u000b","source_version":"1","#,
            r#""start":"2023-01-05T07:30:00+01:00","unit":"µ"}"#
        );
        assert_eq!(metadata.as_str(), expected);
    }
}
