//! Documents as the REST API writes them: each value an object whose one
//! member says its type
//! (<https://cloud.google.com/firestore/docs/reference/rest/v1/Value>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::import::sources::firestore::document::Document;
use crate::import::sources::firestore::value::{GeoPoint, Value};

/// Why JSON is no document of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TypedDocumentError {
    /// It is no JSON of the form that the API answers with, or has a type of
    /// value that is not known here.
    #[error("is not a document with typed values (line {line}, column {column})")]
    Form {
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
    },
    /// Its name is not one of a document.
    #[error("has a name that is not projects/…/databases/…/documents/…")]
    Name,
    /// Bytes that are not Base64.
    #[error("has bytes that are not Base64")]
    Base64,
    /// An integer that is not one of 64 bits, or a double that is no number.
    #[error("has a number that cannot be read")]
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

/// What is zero is left out.
#[derive(Deserialize)]
struct TypedPoint {
    #[serde(default)]
    latitude: f64,
    #[serde(default)]
    longitude: f64,
}

/// What is empty is left out.
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
/// When it is none, or has values that cannot be read.
pub fn decode_typed_document(json: &str) -> Result<Document, TypedDocumentError> {
    let typed: TypedDocument =
        serde_json::from_str(json).map_err(|error| TypedDocumentError::Form {
            line: error.line(),
            column: error.column(),
        })?;
    let path = path_of(&typed.name).ok_or(TypedDocumentError::Name)?;
    Ok(Document {
        path: path.to_owned(),
        fields: decode_fields(typed.fields)?,
    })
}

/// The path below the database in a document's full name.
fn path_of(name: &str) -> Option<&str> {
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
