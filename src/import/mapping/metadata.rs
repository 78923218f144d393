use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::domain::{Metadata, ReadingValue, ValidationError};
use crate::import::sources::firestore::Fields;
use crate::import::sources::firestore::Value;

/// Builder of the metadata of a reading.
#[derive(Debug, Clone, Default)]
pub struct MetadataBuilder(Map<String, Json>);

impl MetadataBuilder {
    /// Adds a value, unless it is absent, null, or the name exists.
    pub fn add(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| **value != Value::Null) {
            self.add_json(name, to_json(value));
        }
    }

    /// Adds a text, unless it is absent or the name exists.
    pub fn add_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.add_json(name, text.into());
        }
    }

    fn add_json(&mut self, name: &str, json: Json) {
        self.0.entry(name).or_insert(json);
    }

    /// Adds all fields except those with the `excluded` names.
    pub fn add_all(&mut self, fields: &Fields, excluded: &[&str]) {
        for (name, value) in fields {
            if !excluded.contains(&name.as_str()) {
                self.add(name, Some(value));
            }
        }
    }

    /// Returns the metadata.
    ///
    /// # Errors
    /// They exceed the limits of a reading.
    pub fn finish(self) -> Result<Metadata, ValidationError> {
        if self.0.is_empty() {
            return Ok(Metadata::default());
        }
        Metadata::parse(&Json::Object(self.0).to_string())
    }
}

/// Converts a value to JSON: times to RFC 3339, bytes to Base64, and numbers that
/// JSON or metadata cannot represent to text.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Boolean(boolean) => (*boolean).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Double(double) if ReadingValue::try_from(*double).is_ok() => (*double).into(),
        Value::Double(double) => double.to_string().into(),
        Value::Timestamp(instant) => instant.to_string().into(),
        Value::String(text) | Value::Reference(text) => text.clone().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Value::GeoPoint(point) => {
            json!({"latitude": point.latitude, "longitude": point.longitude})
        }
        Value::Array(elements) => elements.iter().map(to_json).collect(),
        Value::Map(members) => {
            let members = members.iter();
            Json::Object(
                members
                    .map(|(name, value)| (name.clone(), to_json(value)))
                    .collect(),
            )
        }
    }
}
