//! A field of an `EntityProto`, or one element of an array among them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::document_path::{APP, DATABASE, DocumentPath, text};
use super::error::EntityError;
use super::wire::{Fields, Wire};
use crate::import::sources::firestore::value::{GeoPoint, MAX_DEPTH, Value};

/// What a property's `meaning` says of its value, where that is not told by
/// the value itself.
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

/// A property as it is in the file.
pub(super) struct Property {
    name: String,
    kind: Kind,
}

enum Kind {
    Single(Value),
    EmptyArray,
    /// An array is its name again and again, each time with one element.
    Element(Value),
    VectorElement(Value),
}

/// The fields of a document, or of a map `depth` levels below one.
pub(super) fn fields(entity: &[u8], depth: usize) -> Result<BTreeMap<String, Value>, EntityError> {
    if depth > MAX_DEPTH {
        return Err(EntityError::Depth);
    }
    let mut fields = BTreeMap::new();
    for field in Fields::of(entity) {
        if let (PROPERTY | RAW_PROPERTY, property) = field? {
            Property::decode(property.bytes()?, depth)?.put_into(&mut fields)?;
        }
    }
    Ok(fields)
}

impl Property {
    pub(super) fn decode(bytes: &[u8], depth: usize) -> Result<Self, EntityError> {
        let (mut name, mut value): (_, &[u8]) = (None, &[]);
        let (mut meaning, mut is_element) = (0, false);
        for field in Fields::of(bytes) {
            match field? {
                (1, wire) => meaning = wire.varint()?,
                (3, wire) => name = Some(text(wire.bytes()?)?),
                (4, wire) => is_element = wire.varint()? != 0,
                (5, wire) => value = wire.bytes()?,
                _ => {}
            }
        }
        let name = name.ok_or(EntityError::Unnamed)?.to_owned();
        let kind = if meaning == meaning::EMPTY_ARRAY {
            Kind::EmptyArray
        } else {
            let value = decode_value(value, meaning, depth)?;
            match (is_element, meaning) {
                (true, meaning::VECTOR) => Kind::VectorElement(value),
                (true, _) => Kind::Element(value),
                (false, _) => Kind::Single(value),
            }
        };
        Ok(Self { name, kind })
    }

    /// Adds it to the fields of its document or map.
    pub(super) fn put_into(self, fields: &mut BTreeMap<String, Value>) -> Result<(), EntityError> {
        match (fields.entry(self.name), self.kind) {
            (Entry::Vacant(place), kind) => {
                place.insert(kind.first());
                Ok(())
            }
            (Entry::Occupied(mut place), Kind::Element(value)) => match place.get_mut() {
                Value::Array(elements) => {
                    elements.push(value);
                    Ok(())
                }
                _ => Err(EntityError::Twice),
            },
            (Entry::Occupied(mut place), Kind::VectorElement(value)) => {
                let elements = vector_elements(place.get_mut()).ok_or(EntityError::Twice)?;
                elements.push(value);
                Ok(())
            }
            (Entry::Occupied(_), _) => Err(EntityError::Twice),
        }
    }
}

impl Kind {
    /// The field's value when this is the first that is seen of it.
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

/// Decodes a `PropertyValue`, of which one field at most is there.
fn decode_value(bytes: &[u8], meaning: u64, depth: usize) -> Result<Value, EntityError> {
    let Some(field) = Fields::of(bytes).next().transpose()? else {
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
        ((3, Wire::Bytes(bytes)), _) => Ok(Value::String(text(bytes)?.to_owned())),
        ((4, Wire::Fixed64(bits)), _) => Ok(Value::Double(f64::from_bits(bits))),
        ((5, Wire::Group(point)), _) => geo_point(point),
        ((12, Wire::Group(reference)), _) => reference_name(reference),
        _ => Err(EntityError::Type),
    }
}

fn geo_point(point: &[u8]) -> Result<Value, EntityError> {
    let (mut latitude, mut longitude) = (0.0, 0.0);
    for field in Fields::of(point) {
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

/// The full name of a document that is referred to.
fn reference_name(reference: &[u8]) -> Result<Value, EntityError> {
    let (mut app, mut database) = ("", "(default)");
    let mut path = DocumentPath::default();
    for field in Fields::of(reference) {
        match field? {
            (APP, wire) => app = text(wire.bytes()?)?,
            (DATABASE, wire) => database = text(wire.bytes()?)?,
            (14, Wire::Group(element)) => path.push(element, [15, 16, 17])?,
            _ => {}
        }
    }
    // `dev~`, `e~` or `s~` tell where the project is kept, not what it is.
    let project = app.split_once('~').map_or(app, |(_, project)| project);
    let path = path.whole()?;
    Ok(Value::Reference(format!(
        "projects/{project}/databases/{database}/documents/{path}"
    )))
}
