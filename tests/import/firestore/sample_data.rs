//! Exports written by Google's own tools, with their expected content.

use std::path::PathBuf;

use serde_json::Value as Json;

use super::values::{assert_same, by_path};
use clarity_backend::import::firestore::{
    JsonExport, JsonFormat, ManagedExport, PartCounts, Value, decode_typed_document,
};

fn sample(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/firestore")).join(path)
}

/// Every document of the export equals the REST API's response, value by value.
#[test]
#[cfg_attr(not(sample_exports), ignore = "requires ../shared/firestore")]
fn every_value_equals_the_rest_api() {
    let export = ManagedExport::open(&sample("emulator-made/firestore_export")).unwrap();
    let mut exported = by_path(export);
    for collection in [
        "types",
        "health_data",
        "health_data_processing",
        "users",
        "users_u1_sub",
    ] {
        let file = sample(&format!("emulator-made/rest_{collection}.json"));
        let response: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        for document in response["documents"].as_array().unwrap() {
            let expected = decode_typed_document(&document.to_string()).unwrap();
            let found = exported.remove(&expected.path).unwrap();
            assert_same(&found, &expected);
        }
    }
    assert!(
        exported.is_empty(),
        "missing in the responses: {exported:?}"
    );
}

#[test]
#[cfg_attr(not(sample_exports), ignore = "requires ../shared/firestore")]
fn exports_have_the_declared_number_of_documents() {
    for (folder, documents) in [
        ("emulator-made", 8),
        ("clarity-lifesnaps", 3_001),
        ("algolia-firestore-search", 2),
        ("swift-firestore-guide", 16),
    ] {
        let mut export = ManagedExport::open(&sample(folder)).unwrap();
        let found = by_path(export.by_ref());
        assert_eq!(found.len(), documents, "{folder}");
        let counts = export.part_counts();
        assert!(counts.iter().all(PartCounts::is_complete), "{counts:?}");
    }
}

/// JSON of the tools equals the export, except for the types that they lose.
#[test]
#[cfg_attr(not(sample_exports), ignore = "requires ../shared/firestore")]
fn npm_tools_wrote_the_same_documents() {
    let export = ManagedExport::open(&sample("emulator-made")).unwrap();
    let exported = by_path(export);
    for (file, format, documents) in [
        (
            "node-firestore-import-export.json",
            JsonFormat::NodeFirestoreImportExport,
            8,
        ),
        (
            "firestore-export-import.json",
            JsonFormat::FirestoreExportImport,
            8,
        ),
        ("backfire.ndjson", JsonFormat::Backfire, 4),
        ("endran-fei.json", JsonFormat::Endran, 4),
    ] {
        let export = JsonExport::open(&sample("json-tools").join(file)).unwrap();
        assert_eq!(export.format(), format);
        let found = by_path(export);
        assert_eq!(found.len(), documents, "{file}");
        for (path, document) in &found {
            let expected = &exported[path];
            for (name, value) in &expected.fields {
                let known_to_be_lost = path == "types/all"
                    && (["imax", "nan", "inf", "negz"].contains(&&**name)
                        || name == "bytes" && format == JsonFormat::NodeFirestoreImportExport);
                if !known_to_be_lost {
                    let found = &document.fields[name];
                    assert_eq!(as_in_json(found), as_in_json(value), "{path} {name}");
                }
            }
            assert_eq!(document.fields.len(), expected.fields.len(), "{path}");
        }
    }
}

/// Converts to the types of JSON: doubles without a fraction to integers,
/// references to paths.
fn as_in_json(value: &Value) -> Value {
    match value {
        Value::Double(number) if number.fract() == 0.0 => {
            Value::Integer(format!("{number}").parse().unwrap())
        }
        Value::Reference(name) => {
            let path = name.split_once("/documents/").map(|(_, path)| path);
            Value::Reference(path.unwrap_or(name).to_owned())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(as_in_json).collect()),
        Value::Map(fields) => {
            let fields = fields.iter();
            Value::Map(
                fields
                    .map(|(name, it)| (name.clone(), as_in_json(it)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}
