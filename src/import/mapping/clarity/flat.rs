//! Documents without blocks: one typed value, or values under their own names.

use super::fields::Field;
use super::upload::Parts;
use crate::domain::{Reading, vocabulary};
use crate::import::mapping::metadata::MetadataBuilder;
use crate::import::mapping::values::{number, text, time};
use crate::import::raw_reading::{ImportContext, RawReading};
use crate::import::record::Rejection;
use crate::import::sources::firestore::{Fields, Value};

/// Members that all readings of a document share.
struct SharedMembers {
    user_id: Option<String>,
    timestamp: Option<String>,
    created_at: Option<String>,
    metadata: MetadataBuilder,
}

pub(super) fn readings(fields: &Fields, context: &ImportContext) -> Parts {
    let type_name = ["data_type", "type"]
        .into_iter()
        .find(|name| matches!(fields.get(*name), Some(Value::String(_))));
    match type_name {
        Some(name) if fields.contains_key("value") => {
            vec![typed_reading(fields, name, context)]
        }
        _ => named_readings(fields, context),
    }
}

/// Returns the shared members of a document; the `consumed` fields do not become
/// metadata.
fn shared_members(fields: &Fields, consumed: &[&str]) -> SharedMembers {
    let timestamp = fields
        .get("timestamp")
        .filter(|value| **value != Value::Null);
    let created_at = fields.get("created_at");
    let mut metadata = MetadataBuilder::default();
    if let Some(Value::Map(own)) = fields.get("metadata") {
        metadata.add_all(own, &[]);
    } else {
        metadata.add("metadata", fields.get("metadata"));
    }
    let mut excluded = vec![
        "user_id",
        "timestamp",
        "created_at",
        "expires_at",
        "processing_id",
        "metadata",
    ];
    excluded.extend(consumed);
    metadata.add_all(fields, &excluded);
    SharedMembers {
        user_id: text(fields.get("user_id")),
        timestamp: time(timestamp.or(created_at)),
        created_at: time(created_at),
        metadata,
    }
}

/// Returns the reading of a document with a type and a value.
fn typed_reading(
    fields: &Fields,
    type_name: &'static str,
    context: &ImportContext,
) -> Result<Reading, Rejection> {
    let shared = shared_members(fields, &[type_name, "value", "unit"]);
    let data_type = text(fields.get(type_name));
    let value = number("value", fields.get("value"))?
        .ok_or_else(|| Rejection::new("value", "is missing"))?;
    let field = data_type.as_deref().and_then(Field::with_data_type);
    let (value, unit) = match (text(fields.get("unit")), field) {
        (Some(unit), _) => (value, Some(unit)),
        (None, Some(field)) => {
            let (value, unit) = field.to_vocabulary(value);
            (value, Some(unit.to_owned()))
        }
        (None, None) => (value, None),
    };
    let scale = field.and_then(|field| field.scale);
    shared.reading(data_type.as_deref(), value, unit.as_deref(), scale, context)
}

/// Returns the readings of a document whose fields are named after data types.
fn named_readings(fields: &Fields, context: &ImportContext) -> Parts {
    let is_number = |value: &Value| matches!(value, Value::Integer(_) | Value::Double(_));
    let values: Vec<(&String, &Value)> = fields
        .iter()
        .filter(|(name, value)| is_number(value) && is_known(name))
        .collect();
    let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
    let shared = shared_members(fields, &names);
    let reading = |(name, value): (&String, &Value)| {
        let value =
            number(name, Some(value))?.ok_or_else(|| Rejection::new("value", "is missing"))?;
        let (data_type, value, unit, scale) = match (Field::with_name(name), vocabulary::find(name))
        {
            (Some(field), _) => {
                let (value, unit) = field.to_vocabulary(value);
                (field.data_type, value, Some(unit), field.scale)
            }
            (None, Some(metric)) => (
                metric.name.as_str(),
                value,
                Some(metric.unit.as_str()),
                None,
            ),
            (None, None) => (name.as_str(), value, None, None),
        };
        shared.reading(Some(data_type), value, unit, scale, context)
    };
    if values.is_empty() {
        let reason = "has neither a metric nor a value under a known name";
        return vec![Err(Rejection::new("the document", reason))];
    }
    values.into_iter().map(reading).collect()
}

fn is_known(name: &str) -> bool {
    Field::with_name(name).is_some() || vocabulary::find(name).is_some()
}

impl SharedMembers {
    fn reading(
        &self,
        data_type: Option<&str>,
        value: f64,
        unit: Option<&str>,
        scale: Option<&str>,
        context: &ImportContext,
    ) -> Result<Reading, Rejection> {
        let mut metadata = self.metadata.clone();
        metadata.add_text("scale", scale);
        let metadata = metadata
            .finish()
            .map_err(|reason| Rejection::from_validation("metadata", reason))?;
        RawReading {
            user_id: self.user_id.as_deref(),
            data_type,
            value: Some(&value.to_string()),
            timestamp: self.timestamp.as_deref(),
            unit,
            metadata: Some(metadata.as_str()),
            created_at: self.created_at.as_deref(),
            ..RawReading::default()
        }
        .validate(context)
    }
}
