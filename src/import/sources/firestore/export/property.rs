//! Fields of an `EntityProto`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::document_path::{APP, DATABASE, DocumentPath, utf8};
use super::error::EntityError;
use super::wire::{Wire, WireFields};
use crate::import::sources::firestore::value::{GeoPoint, MAX_DEPTH, Value};

/// Values of a property's `meaning`, the part of its type that the value itself
/// does not have.
mod meaning {
    pub(super) const TIMESTAMP: u64 = 7;
    pub(super) const BLOB: u64 = 14;
    pub(super) const BYTES: u64 = 16;
    pub(super) const MAP: u64 = 19;
    pub(super) const EMPTY_ARRAY: u64 = 24;
    pub(super) const VECTOR: u64 = 31;
}

const PROPERTY: u64 = 14;
const RAW_PROPERTY: u64 = 15;

/// Property: a field, or one element of an array.
pub(super) struct Property {
    name: String,
    shape: PropertyShape,
}

enum PropertyShape {
    Single(Value),
    EmptyArray,
    /// An array repeats its name with each element.
    Element(Value),
    VectorElement(Value),
}

/// Decodes the fields of a document, or of a map at `depth`.
pub(super) fn fields(entity: &[u8], depth: usize) -> Result<BTreeMap<String, Value>, EntityError> {
    if depth > MAX_DEPTH {
        return Err(EntityError::Depth);
    }
    let mut fields = BTreeMap::new();
    for field in WireFields::new(entity) {
        if let (PROPERTY | RAW_PROPERTY, property) = field? {
            Property::decode(property.bytes()?, depth)?.insert_into(&mut fields)?;
        }
    }
    Ok(fields)
}

impl Property {
    pub(super) fn decode(bytes: &[u8], depth: usize) -> Result<Self, EntityError> {
        let (mut name, mut value): (_, &[u8]) = (None, &[]);
        let (mut meaning, mut is_element) = (0, false);
        for field in WireFields::new(bytes) {
            match field? {
                (1, wire) => meaning = wire.varint()?,
                (3, wire) => name = Some(utf8(wire.bytes()?)?),
                (4, wire) => is_element = wire.varint()? != 0,
                (5, wire) => value = wire.bytes()?,
                _ => {}
            }
        }
        let name = name.ok_or(EntityError::Unnamed)?.to_owned();
        let shape = if meaning == meaning::EMPTY_ARRAY {
            PropertyShape::EmptyArray
        } else {
            let value = decode_value(value, meaning, depth)?;
            match (is_element, meaning) {
                (true, meaning::VECTOR) => PropertyShape::VectorElement(value),
                (true, _) => PropertyShape::Element(value),
                (false, _) => PropertyShape::Single(value),
            }
        };
        Ok(Self { name, shape })
    }

    /// Adds it to the fields of its document or map.
    pub(super) fn insert_into(
        self,
        fields: &mut BTreeMap<String, Value>,
    ) -> Result<(), EntityError> {
        match (fields.entry(self.name), self.shape) {
            (Entry::Vacant(entry), shape) => {
                entry.insert(shape.first());
                Ok(())
            }
            (Entry::Occupied(mut entry), PropertyShape::Element(value)) => match entry.get_mut() {
                Value::Array(elements) => {
                    elements.push(value);
                    Ok(())
                }
                _ => Err(EntityError::Repeated),
            },
            (Entry::Occupied(mut entry), PropertyShape::VectorElement(value)) => {
                let elements = vector_elements(entry.get_mut()).ok_or(EntityError::Repeated)?;
                elements.push(value);
                Ok(())
            }
            (Entry::Occupied(_), _) => Err(EntityError::Repeated),
        }
    }
}

impl PropertyShape {
    /// Returns the value of the field after its first property.
    fn first(self) -> Value {
        match self {
            Self::Single(value) => value,
            Self::EmptyArray => Value::Array(Vec::new()),
            Self::Element(value) => Value::Array(vec![value]),
            Self::VectorElement(value) => {
                let marker = ("__type__".to_owned(), Value::String("__vector__".into()));
                let elements = ("value".to_owned(), Value::Array(vec![value]));
                Value::Map(BTreeMap::from([marker, elements]))
            }
        }
    }
}

fn vector_elements(value: &mut Value) -> Option<&mut Vec<Value>> {
    match value {
        Value::Map(vector) if vector.contains_key("__type__") => match vector.get_mut("value") {
            Some(Value::Array(elements)) => Some(elements),
            _ => None,
        },
        _ => None,
    }
}

/// Decodes a `PropertyValue`, which has at most one field.
fn decode_value(bytes: &[u8], meaning: u64, depth: usize) -> Result<Value, EntityError> {
    let Some(field) = WireFields::new(bytes).next().transpose()? else {
        return match meaning {
            meaning::TIMESTAMP | meaning::MAP => Err(EntityError::Type),
            _ => Ok(Value::Null),
        };
    };
    match (field, meaning) {
        ((1, Wire::Varint(number)), meaning::TIMESTAMP) => {
            let instant = Timestamp::from_microsecond(number.cast_signed());
            instant
                .map(Value::Timestamp)
                .map_err(|_| EntityError::Timestamp)
        }
        ((3, Wire::Bytes(entity)), meaning::MAP) => Ok(Value::Map(fields(entity, depth + 1)?)),
        (_, meaning::TIMESTAMP | meaning::MAP) => Err(EntityError::Type),
        ((3, Wire::Bytes(bytes)), meaning::BLOB | meaning::BYTES) => {
            Ok(Value::Bytes(bytes.to_owned()))
        }
        ((1, Wire::Varint(number)), _) => Ok(Value::Integer(number.cast_signed())),
        ((2, Wire::Varint(bit)), _) => Ok(Value::Boolean(bit != 0)),
        ((3, Wire::Bytes(bytes)), _) => Ok(Value::String(utf8(bytes)?.to_owned())),
        ((4, Wire::Fixed64(bits)), _) => Ok(Value::Double(f64::from_bits(bits))),
        ((5, Wire::Group(point)), _) => geo_point(point),
        ((12, Wire::Group(reference)), _) => reference_name(reference),
        _ => Err(EntityError::Type),
    }
}

fn geo_point(point: &[u8]) -> Result<Value, EntityError> {
    let (mut latitude, mut longitude) = (0.0, 0.0);
    for field in WireFields::new(point) {
        match field? {
            (6, wire) => latitude = f64::from_bits(wire.fixed64()?),
            (7, wire) => longitude = f64::from_bits(wire.fixed64()?),
            _ => {}
        }
    }
    Ok(Value::GeoPoint(GeoPoint {
        latitude,
        longitude,
    }))
}

/// Decodes the full name of a referenced document.
fn reference_name(reference: &[u8]) -> Result<Value, EntityError> {
    let (mut app, mut database) = ("", "(default)");
    let mut path = DocumentPath::default();
    for field in WireFields::new(reference) {
        match field? {
            (APP, wire) => app = utf8(wire.bytes()?)?,
            (DATABASE, wire) => database = utf8(wire.bytes()?)?,
            (14, Wire::Group(element)) => path.push(element, [15, 16, 17])?,
            _ => {}
        }
    }
    // The prefix `dev~`, `e~` or `s~` is the location of the project.
    let project = app.split_once('~').map_or(app, |(_, project)| project);
    let path = path.finish()?;
    Ok(Value::Reference(format!(
        "projects/{project}/databases/{database}/documents/{path}"
    )))
}
