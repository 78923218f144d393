//! Synthetic files in the formats of npm tools.

use std::io::Write as _;

use serde_json::json;
use tempfile::NamedTempFile;

use super::values::document;
use clarity_backend::import::firestore::{Document, JsonExport, JsonFormat, decode_json};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn decoded(text: &str, format: JsonFormat) -> Vec<Document> {
    assert_eq!(JsonFormat::detect(text.as_bytes()), Some(format));
    let documents = decode_json(text.as_bytes(), format);
    documents.map(|item| item.unwrap().1).collect()
}

fn problem(text: &str, format: JsonFormat) -> (u64, String) {
    let mut items = decode_json(text.as_bytes(), format);
    let error = items.find_map(Result::err).unwrap();
    (error.0, error.1.to_string())
}

#[test]
fn node_firestore_import_export_types_its_values() {
    let timestamp = json!({"_seconds": -1, "_nanoseconds": 500_000_000});
    let text = json!({"__collections__": {"types": {"all": {
        "t": {"__datatype__": "timestamp", "value": timestamp},
        "g": {"__datatype__": "geopoint", "value": {"_latitude": 42.36, "_longitude": -71}},
        "r": {"__datatype__": "documentReference", "value": "users/u1"},
        "n": [null, true, -7, 72.5],
        "no_type": {"__datatype__": "another", "value": 1},
        "__collections__": {"sub": {"c1": {"v": 1, "__collections__": {}}}},
    }}}});
    let expected = json!({
        "t": {"timestampValue": "1969-12-31T23:59:59.5Z"},
        "g": {"geoPointValue": {"latitude": 42.36, "longitude": -71.0}},
        "r": {"referenceValue": "users/u1"},
        "n": {"arrayValue": {"values": [{"nullValue": null}, {"booleanValue": true},
              {"integerValue": "-7"}, {"doubleValue": 72.5}]}},
        "no_type": {"mapValue": {"fields": {
            "__datatype__": {"stringValue": "another"}, "value": {"integerValue": "1"}}}},
    });
    // `serde_json` sorts members: the subcollections come before the fields.
    assert_eq!(
        decoded(&text.to_string(), JsonFormat::NodeFirestoreImportExport),
        [
            document("types/all/sub/c1", &json!({"v": {"integerValue": "1"}})),
            document("types/all", &expected),
        ]
    );
}

#[test]
fn firestore_export_import_has_paths_below_documents() {
    let text = r#"{"users": {"u1": {
        "name": "n",
        "when": {"_seconds": 1748954096, "_nanoseconds": 123456000},
        "bytes": {"type": "Buffer", "data": [0, 255]},
        "friend": {"_firestore": {"projectId": "p"},
                   "_path": {"segments": ["users", "u2"]}, "_converter": {}},
        "subCollection": {"users/u1/sub": {"c1": {"v": 1,
            "subCollection": {"users/u1/sub/c1/deeper": {"d": {}}}}},
                          "users/u1/other": {}}
    }, "u2": {"subCollection": {"a/field": {"of": "this name"}}}, "u3": {"subCollection": {}}}}"#;
    let one = json!({
        "name": {"stringValue": "n"},
        "when": {"timestampValue": "2025-06-03T12:34:56.123456Z"},
        "bytes": {"bytesValue": "AP8="},
        "friend": {"referenceValue": "users/u2"},
    });
    let two = json!({"subCollection": {"mapValue": {"fields": {
        "a/field": {"mapValue": {"fields": {"of": {"stringValue": "this name"}}}}}}}});
    assert_eq!(
        decoded(text, JsonFormat::FirestoreExportImport),
        [
            document("users/u1/sub/c1/deeper/d", &json!({})),
            document("users/u1/sub/c1", &json!({"v": {"integerValue": "1"}})),
            document("users/u1", &one),
            document("users/u2", &two),
            document("users/u3", &json!({"subCollection": {"mapValue": {}}})),
        ]
    );
}

#[test]
fn lines_are_independent() {
    let lines = "{\"path\":\"a/1\",\"data\":{\"at\":{\"_seconds\":0,\"_nanoseconds\":0}},\
                 \"timestamps\":[\"at\"]}\n\
                 \n{\"path\":\"a/2\",\"data\":{\"cut\":\n\
                 {\"path\":\"a\",\"data\":{}}\n\
                 {\"path\":\"a/3\",\"data\":{}}";
    let items: Vec<_> = decode_json(lines.as_bytes(), JsonFormat::Backfire).collect();
    let intact: Vec<_> = items.iter().flatten().map(|(_, it)| it.clone()).collect();
    let at = json!({"at": {"timestampValue": "1970-01-01T00:00:00Z"}});
    assert_eq!(intact, [document("a/1", &at), document("a/3", &json!({}))]);
    let errors: Vec<_> = items
        .iter()
        .filter_map(|item| item.as_ref().err())
        .collect();
    let second = u64::try_from(lines.find("{\"path\":\"a/2").unwrap()).unwrap();
    assert_eq!(errors[0].0, second);
    assert_eq!(errors.len(), 2);

    // As the tool writes it: with a trailing comma and no closing brace.
    let members = "{\n\"a/1\": {\"v\":1},\n\"a/2\": {\"v\":2},\n";
    let expected = [1, 2].map(|v| {
        let fields = json!({"v": {"integerValue": v.to_string()}});
        document(&format!("a/{v}"), &fields)
    });
    assert_eq!(decoded(members, JsonFormat::Endran), expected);
    assert_eq!(
        decoded(&format!("{members}}}\n"), JsonFormat::Endran),
        expected
    );
}

#[test]
fn errors_have_an_offset_and_a_reason() {
    let node = JsonFormat::NodeFirestoreImportExport;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let with = |value: &str| format!(r#"{{"__collections__":{{"a":{{"1":{{"v":{value}}}}}}}}}"#);
    assert!(decode_json(with(&deep(40)).as_bytes(), node).all(|item| item.is_ok()));
    for (text, expected) in [
        (
            with(&deep(41)),
            "maps and arrays nest more than 40 levels deep",
        ),
        (
            with(&deep(100_000)),
            "maps and arrays nest more than 40 levels deep",
        ),
        (with("nope"), "is not valid JSON from here on"),
        (with("1,\"v\":2"), "a document has the same field twice"),
        (format!("{} x", with("1")), "is not valid JSON from here on"),
        (
            r#"{"__collections__":{"a":{"1":7}}}"#.to_owned(),
            "expected a document or collection",
        ),
        (
            with(&format!("\"{}\"", "y".repeat(17_000_000))),
            "a string or number is longer than 16777216 bytes",
        ),
    ] {
        let (offset, reason) = problem(&text, node);
        assert_eq!(reason, expected);
        assert!(offset > 20, "{offset}: {reason}");
    }
}

#[test]
fn other_files_are_rejected() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"a\": 1}",
        "user_id,value\n",
        "{\"metadata\":{\"unit\":\"bpm\"},\"user_id\":\"u\"}",
        "{\"user_id\":\"u\"}",
    ] {
        let error = JsonExport::open(file(text).path()).err().unwrap();
        assert!(
            error.problem.contains("is not JSON of a supported tool"),
            "{error}"
        );
    }
}
