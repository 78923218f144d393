//! Documents in the format of the REST API: each value is an object whose only
//! member is named after its type
//! (<https://cloud.google.com/firestore/docs/reference/rest/v1/Value>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::{GeoPoint, Value};

/// Error of decoding a document of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypedDocumentError {
    /// The structure is not that of a document, or a value has an unknown type.
    #[error("is not a document with typed values (line {line}, column {column})")]
    Form {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// The name is not that of a document.
    #[error("has a name that is not projects/…/databases/…/documents/…")]
    Name,
    /// A bytes value is not Base64.
    #[error("has bytes that are not Base64")]
    Base64,
    /// An integer exceeds 64 bits, or a double is invalid.
    #[error("has an invalid number")]
    Number,
}

#[derive(Deserialize)]
struct TypedDocument {
    name: String,
    #[serde(default)]
    fields: BTreeMap<String, TypedValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "they are the API's names")]
enum TypedValue {
    NullValue(IgnoredAny),
    BooleanValue(bool),
    IntegerValue(String),
    DoubleValue(TypedDouble),
    TimestampValue(Timestamp),
    StringValue(String),
    BytesValue(String),
    ReferenceValue(String),
    GeoPointValue(TypedPoint),
    ArrayValue(TypedArray),
    MapValue(TypedMap),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TypedDouble {
    Number(f64),
    Text(String),
}

/// The API omits zeros.
#[derive(Deserialize)]
struct TypedPoint {
    #[serde(default)]
    latitude: f64,
    #[serde(default)]
    longitude: f64,
}

/// The API omits an empty array.
#[derive(Deserialize)]
struct TypedArray {
    #[serde(default)]
    values: Vec<TypedValue>,
}

#[derive(Deserialize)]
struct TypedMap {
    #[serde(default)]
    fields: BTreeMap<String, TypedValue>,
}

/// Decodes a document of the REST API.
///
/// # Errors
/// The JSON is not a document, or a value is invalid.
pub fn decode_typed_document(json: &str) -> Result<Document, TypedDocumentError> {
    let typed: TypedDocument =
        serde_json::from_str(json).map_err(|error| TypedDocumentError::Form {
            line: error.line(),
            column: error.column(),
        })?;
    let path = relative_path(&typed.name).ok_or(TypedDocumentError::Name)?;
    Ok(Document {
        path: path.to_owned(),
        fields: decode_fields(typed.fields)?,
    })
}

/// Returns the path in the database from the full name of a document.
fn relative_path(name: &str) -> Option<&str> {
    let mut segments = name.splitn(6, '/');
    let mut is = |expected: Option<&str>| match (segments.next(), expected) {
        (Some(segment), Some(expected)) => segment == expected,
        (Some(segment), None) => !segment.is_empty(),
        (None, _) => false,
    };
    let is_document = is(Some("projects"))
        && is(None)
        && is(Some("databases"))
        && is(None)
        && is(Some("documents"));
    segments.next().filter(|_| is_document)
}

fn decode_fields(
    fields: BTreeMap<String, TypedValue>,
) -> Result<BTreeMap<String, Value>, TypedDocumentError> {
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| Ok((name, decode(value)?)))
        .collect()
}

fn decode(value: TypedValue) -> Result<Value, TypedDocumentError> {
    Ok(match value {
        TypedValue::NullValue(_) => Value::Null,
        TypedValue::BooleanValue(bit) => Value::Boolean(bit),
        TypedValue::IntegerValue(digits) => {
            Value::Integer(digits.parse().map_err(|_| TypedDocumentError::Number)?)
        }
        TypedValue::DoubleValue(TypedDouble::Number(number)) => Value::Double(number),
        TypedValue::DoubleValue(TypedDouble::Text(text)) => Value::Double(match &*text {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            _ => return Err(TypedDocumentError::Number),
        }),
        TypedValue::TimestampValue(instant) => Value::Timestamp(instant),
        TypedValue::StringValue(text) => Value::String(text),
        TypedValue::BytesValue(text) => Value::Bytes(
            STANDARD
                .decode(text)
                .map_err(|_| TypedDocumentError::Base64)?,
        ),
        TypedValue::ReferenceValue(name) => Value::Reference(name),
        TypedValue::GeoPointValue(point) => Value::GeoPoint(GeoPoint {
            latitude: point.latitude,
            longitude: point.longitude,
        }),
        TypedValue::ArrayValue(array) => {
            let values = array.values.into_iter();
            Value::Array(values.map(decode).collect::<Result<_, _>>()?)
        }
        TypedValue::MapValue(map) => Value::Map(decode_fields(map.fields)?),
    })
}
