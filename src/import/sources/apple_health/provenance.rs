use serde_json::{Map, Value};

use super::attributes::{MetadataEntries, RecordAttributes};
use crate::domain::{MeasurementTime, Metadata, ValidationError};

/// Origin of a reading, as its metadata.
///
/// | member | content |
/// | --- | --- |
/// | `source`, `source_version` | the app or device that recorded it |
/// | `device` | the measuring device: `name`, `manufacturer`, `model`, `hardware`, `software` |
/// | `start` | start of the measurement, if it differs from the end |
/// | `healthkit` | the metadata entries by their keys |
/// | `healthkit_left_out` | number of omitted entries |
pub struct Provenance(Map<String, Value>);

impl Provenance {
    /// Returns the origin of a record with these attributes and entries; `start` is
    /// absent if it equals the end.
    pub fn new(
        attributes: &RecordAttributes<'_>,
        entries: &MetadataEntries,
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
        add("device", device.map(parse_device));
        add("start", start.map(|start| start.to_string().into()));
        if entries.pairs().len() > 0 {
            let pairs: Map<String, Value> = entries
                .pairs()
                .map(|(key, value)| (key.to_owned(), value.into()))
                .collect();
            add("healthkit", Some(pairs.into()));
        }
        let omitted = entries.omitted();
        add("healthkit_left_out", (omitted > 0).then(|| omitted.into()));
        Self(members)
    }

    /// Adds a member.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Returns the metadata.
    ///
    /// # Errors
    /// They exceed the limits of a reading.
    pub fn metadata(&self) -> Result<Metadata, ValidationError> {
        if self.0.is_empty() {
            return Ok(Metadata::default());
        }
        // Serializing a map with text keys cannot fail.
        let json = serde_json::to_string(&self.0).unwrap_or_default();
        // Sorted and without white space, it is canonical already.
        Metadata::from_canonical(json)
    }
}

/// Parses a `device` attribute, such as
/// `<<HKDevice: 0x2824>, name:Apple Watch, model:Watch, hardware:Watch6,2>`.
///
/// The number is a memory address of the exporting process. It is omitted, as a
/// reading would otherwise differ between two exports.
fn parse_device(text: &str) -> Value {
    let Some(parts) = text.strip_prefix("<<HKDevice:") else {
        return text.into();
    };
    let mut members: Map<String, Value> = Map::new();
    let mut last: Option<(String, String)> = None;
    let mut parts = parts.split(", ");
    parts.next();
    for part in parts {
        match (part.split_once(':'), &mut last) {
            (Some((name, value)), _) => {
                insert_member(&mut members, last.take());
                last = Some((name.trim().replace(' ', "_"), value.to_owned()));
            }
            // A comma inside a value.
            (None, Some((_, value))) => {
                value.push_str(", ");
                value.push_str(part);
            }
            (None, None) => {}
        }
    }
    // The closing bracket follows the last value.
    let last = last.map(|(name, value)| (name, value.trim_end_matches('>').to_owned()));
    insert_member(&mut members, last);
    members.into()
}

fn insert_member(members: &mut Map<String, Value>, member: Option<(String, String)>) {
    if let Some((name, value)) = member
        && !name.is_empty()
    {
        members.entry(name).or_insert_with(|| value.trim().into());
    }
}

#[cfg(test)]
mod tests {
    use quick_xml::events::BytesStart;
    use serde_json::json;

    use super::*;

    #[test]
    fn serialized_metadata_are_canonical() {
        let tag = "Record sourceName=\"J&#xE4;ne&quot;s \\ watch\u{b}\" sourceVersion=\"1\" \
                   device=\"&lt;&lt;HKDevice: 0x1&gt;, name:Watch, Manufacturer:A, é:x&gt;\"";
        let tag = BytesStart::from_content(tag, "Record".len());
        let mut entries = MetadataEntries::default();
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
        let attributes = RecordAttributes::from_tag(&tag).unwrap();
        let provenance = Provenance::new(&attributes, &entries, Some(&start)).with("unit", "µ");
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

    #[test]
    fn device_address_is_omitted() {
        let device = |address: &str| {
            parse_device(&format!(
                "<<HKDevice: {address}>, name:Apple Watch, manufacturer:Apple Inc., \
                 model:Watch, hardware:Watch6,2, software:10.1, creation date:2023-01-01 10:00:00 +0000>"
            ))
        };
        assert_eq!(device("0x283a5b4c0"), device("0x1"));
        assert_eq!(
            device("0x1"),
            json!({
                "name": "Apple Watch", "manufacturer": "Apple Inc.", "model": "Watch",
                "hardware": "Watch6,2", "software": "10.1",
                "creation_date": "2023-01-01 10:00:00 +0000"
            })
        );
    }

    #[test]
    fn malformed_devices_are_preserved() {
        assert_eq!(parse_device("A scale"), json!("A scale"));
        assert_eq!(parse_device("<<HKDevice: 0x1>>"), json!({}));
        assert_eq!(
            parse_device("<<HKDevice: 0x1>, name:Scale, the big one, name:again, :x, model:>"),
            json!({"name": "Scale, the big one", "model": ""})
        );
    }
}
