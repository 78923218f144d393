use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use crate::domain::{Metadata, ReadingValue, ValidationError};
use crate::import::sources::firestore::Fields;
use crate::import::sources::firestore::Value;

/// What else is known of a reading, while it is gathered.
#[derive(Debug, Clone, Default)]
pub struct MetadataBuilder(Map<String, Json>);

impl MetadataBuilder {
    /// Adds a value, unless there is none or one of that name is there.
    pub fn add(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| **value != Value::Null) {
            self.add_json(name, json_of(value));
        }
    }

    /// Adds a text, unless there is none or a value of that name is there.
    pub fn add_text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.add_json(name, text.into());
        }
    }

    fn add_json(&mut self, name: &str, json: Json) {
        self.0.entry(name).or_insert(json);
    }

    /// Adds all fields but those of these names.
    pub fn add_all(&mut self, fields: &Fields, but: &[&str]) {
        for (name, value) in fields {
            if !but.contains(&name.as_str()) {
                self.add(name, Some(value));
            }
        }
    }

    /// The metadata.
    ///
    /// # Errors
    /// When there is more of it than a reading may have.
    pub fn finish(self) -> Result<Metadata, ValidationError> {
        if self.0.is_empty() {
            return Ok(Metadata::default());
        }
        Metadata::parse(&Json::Object(self.0).to_string())
    }
}

/// A value as JSON: times in RFC 3339, bytes in Base64, and numbers that JSON
/// or metadata do not have as text.
fn json_of(value: &Value) -> Json {
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
        Value::Array(elements) => elements.iter().map(json_of).collect(),
        Value::Map(members) => {
            let members = members.iter();
            Json::Object(
                members
                    .map(|(name, value)| (name.clone(), json_of(value)))
                    .collect(),
            )
        }
    }
}
