//! Sample values and comparisons.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use clarity_backend::import::firestore::{Document, Value, decode_typed_document};
use clarity_backend::import::{SourceError, SourceLocation};

/// Returns fields of every type in the format of the REST API.
pub fn every_type() -> Json {
    json!({
        "null": {"nullValue": null},
        "yes": {"booleanValue": true},
        "no": {"booleanValue": false},
        "least": {"integerValue": "-9223372036854775808"},
        "most": {"integerValue": "9223372036854775807"},
        "double": {"doubleValue": 72.5},
        "nan": {"doubleValue": "NaN"},
        "infinite": {"doubleValue": "-Infinity"},
        "late": {"timestampValue": "2025-06-03T12:34:56.123456Z"},
        "early": {"timestampValue": "1969-12-31T23:59:59.999999Z"},
        "text": {"stringValue": "héllo ✓"},
        "long": {"stringValue": "x".repeat(70_000)},
        "empty": {"stringValue": ""},
        "bytes": {"bytesValue": "AAECAwQFBgc="},
        "point": {"geoPointValue": {"latitude": 42.36, "longitude": -71.06}},
        "reference": {"referenceValue":
            "projects/demo-clarity/databases/(default)/documents/users/u1/sub/__id-7__"},
        "array": {"arrayValue": {"values": [
            {"integerValue": "1"}, {"nullValue": null}, {"bytesValue": "AA=="},
            {"mapValue": {"fields": {"a": {"arrayValue": {}}}}},
            {"timestampValue": "2025-06-03T12:34:56Z"},
        ]}},
        "one": {"arrayValue": {"values": [{"stringValue": "only"}]}},
        "none": {"arrayValue": {}},
        "map": {"mapValue": {"fields": {"k": {"mapValue": {"fields": {}}}, "é.b": {"nullValue": null}}}},
        "dotted.name": {"stringValue": "q"},
    })
}

/// Decodes a document from fields in the format of the REST API.
pub fn document(path: &str, fields: &Json) -> Document {
    let name = format!("projects/demo-clarity/databases/(default)/documents/{path}");
    decode_typed_document(&json!({"name": name, "fields": fields}).to_string()).unwrap()
}

/// Returns all documents by path; panics on an error.
pub fn by_path(
    items: impl Iterator<Item = Result<(SourceLocation, Document), SourceError>>,
) -> BTreeMap<String, Document> {
    let mut documents = BTreeMap::new();
    for item in items {
        let (location, document) = item.unwrap();
        let before = documents.insert(document.path.clone(), document);
        assert_eq!(before, None, "twice, at {location}");
    }
    documents
}

/// Compares documents, with NaN equal to NaN.
pub fn assert_same(left: &Document, right: &Document) {
    assert_eq!(left.path, right.path);
    assert!(
        left.fields.keys().eq(right.fields.keys()),
        "{:?} and {:?}",
        left.fields.keys(),
        right.fields.keys()
    );
    for (name, value) in &left.fields {
        let other = &right.fields[name];
        assert!(
            is_same(value, other),
            "{}: {name}: {value:?} {other:?}",
            left.path
        );
    }
}

fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Double(left), Value::Double(right)) => {
            left == right || left.is_nan() && right.is_nan()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.keys().eq(right.keys())
                && left
                    .values()
                    .zip(right.values())
                    .all(|(l, r)| is_same(l, r))
        }
        _ => left == right,
    }
}
