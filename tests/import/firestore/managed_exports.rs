//! Synthetic exports, read back.

use std::fs;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::values::{assert_same, by_path, document, every_type};
use crate::firestore_support::ExportFixture;
use crate::firestore_support::entity::{Message, entity};
use crate::firestore_support::log::log;
use clarity_backend::import::firestore::{
    Document, EntityError, ManagedExport, PartCounts, decode_entity,
};
use clarity_backend::import::{SourceError, SourceLocation};

fn written(fixture: &ExportFixture) -> TempDir {
    let folder = TempDir::new().unwrap();
    fixture.write_to(folder.path());
    folder
}

fn steps(count: usize) -> Json {
    json!({"steps": {"integerValue": count.to_string()}})
}

/// Returns an export of three files: one with several blocks, an empty one and a
/// padded one.
fn three_files() -> ExportFixture {
    let mut fixture = ExportFixture::new();
    for count in 0..1_500 {
        fixture = fixture.document(&format!("health_data/d{count}"), &steps(count));
    }
    let fixture = fixture.document("types/all", &every_type()).next_file();
    let fixture = fixture.next_file().next_file();
    fixture.document("users/u1/sub/__id7__", &steps(7))
}

fn problems(items: Vec<Result<(SourceLocation, Document), SourceError>>) -> Vec<String> {
    let errors = items.into_iter().filter_map(Result::err);
    errors.map(|error| error.problem.into_owned()).collect()
}

#[test]
fn every_type_round_trips() {
    let folder = written(&ExportFixture::new().document("types/all", &every_type()));
    let found = by_path(ManagedExport::open(folder.path()).unwrap());
    assert_eq!(found.len(), 1);
    assert_same(&found["types/all"], &document("types/all", &every_type()));
}

#[test]
fn all_files_are_read_and_counted() {
    let folder = written(&three_files());
    let mut export = ManagedExport::open(folder.path()).unwrap();
    let found = by_path(export.by_ref());
    assert_eq!(found.len(), 1_502);
    for count in 0..1_500 {
        let path = format!("health_data/d{count}");
        assert_eq!(found[&path], document(&path, &steps(count)));
    }
    let last = &found["users/u1/sub/__id7__"];
    assert_eq!((last.collection(), last.id()), ("sub", "__id7__"));
    let part = "all_namespaces/all_kinds/all_namespaces_all_kinds.export_metadata";
    let counts = PartCounts {
        part: folder.path().join(part),
        expected: Some(1_502),
        found: 1_502,
    };
    assert_eq!(export.part_counts(), [counts]);
}

#[test]
fn folder_around_an_export_is_accepted() {
    let outer = TempDir::new().unwrap();
    let inner = outer.path().join("firestore_export");
    ExportFixture::new()
        .document("a/b", &steps(1))
        .write_to(&inner);
    assert!(ManagedExport::is_at(outer.path()));
    assert_eq!(ManagedExport::open(outer.path()).unwrap().count(), 1);
    assert!(!ManagedExport::is_at(&inner.join("all_namespaces")));
}

#[test]
fn wrong_document_count_is_reported() {
    let folder = written(&ExportFixture::new().document("a/b", &steps(1)).claiming(2));
    let mut export = ManagedExport::open(folder.path()).unwrap();
    assert!(export.next().unwrap().is_ok());
    let error = export.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("2 documents, but 1 intact"), "{error}");
    assert!(error.contains("all_kinds.export_metadata: "), "{error}");
    assert!(export.next().is_none());
    assert!(!export.part_counts()[0].is_complete());
}

#[test]
fn missing_file_does_not_affect_others() {
    let folder = written(&three_files());
    fs::remove_file(ExportFixture::output(folder.path(), 0)).unwrap();
    let mut export = ManagedExport::open(folder.path()).unwrap();
    let items: Vec<_> = export.by_ref().collect();
    assert_eq!(items.len(), 3, "the file, the last document, the count");
    assert!(items[1].is_ok() && items[2].is_err());
    let error = items[0].as_ref().unwrap_err();
    assert!(error.location.file.ends_with("output-0"), "{error}");
    assert!(error.to_string().contains("cannot be read"), "{error}");
    assert!(!export.part_counts()[0].is_complete());
}

#[test]
fn corruption_does_not_affect_earlier_records_and_other_files() {
    let folder = written(&three_files());
    let file = ExportFixture::output(folder.path(), 0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[1_000] ^= 4;
    fs::write(&file, bytes).unwrap();
    let mut export = ManagedExport::open(folder.path()).unwrap();
    let items: Vec<_> = export.by_ref().collect();
    let at = items.iter().position(Result::is_err).unwrap();
    assert!(at > 5, "{at}");
    let error = items[at].as_ref().unwrap_err();
    assert!(error.location.offset <= 1_000, "{error}");
    assert!(
        error.problem.contains("a checksum does not match"),
        "{error}"
    );
    let [.., last, count] = &items[..] else {
        panic!("too few")
    };
    let error = count.as_ref().unwrap_err().to_string();
    assert!(error.contains("1502 documents"), "{error}");
    let last = last.as_ref().unwrap();
    assert_eq!(last.1.path, "users/u1/sub/__id7__");
    let intact = items.iter().flatten().count();
    assert_eq!(intact, items.len() - 2);
    let counts = &export.part_counts()[0];
    assert_eq!(counts.found, u64::try_from(intact).unwrap());
    assert!(!counts.is_complete());
}

#[test]
fn undecodable_record_does_not_affect_others() {
    let folder = written(&ExportFixture::new().document("a/b", &steps(1)));
    let records = [
        entity("a/b", &steps(1)),
        b"\xff".to_vec(),
        entity("a/c", &steps(2)),
    ];
    fs::write(ExportFixture::output(folder.path(), 0), log(&records)).unwrap();
    let items: Vec<_> = ManagedExport::open(folder.path()).unwrap().collect();
    assert_eq!(items.len(), 4, "and the count");
    assert_eq!(items[2].as_ref().unwrap().1, document("a/c", &steps(2)));
    let problems = problems(items);
    assert!(problems[0].starts_with("the record is not a valid message: a field is truncated"));
    assert!(problems[1].starts_with("declares 1 documents"));
}

#[test]
fn paths_outside_the_folder_are_rejected() {
    let folder = written(&ExportFixture::new().document("a/b", &steps(1)));
    let metadata = folder
        .path()
        .join("all_namespaces/all_kinds/all_namespaces_all_kinds.export_metadata");
    for name in ["../output-0", "/etc/passwd", "", "a/../../b"] {
        let kind = Message::default().bytes(2, name.as_bytes());
        fs::write(&metadata, Message::default().bytes(2, &kind.0).0).unwrap();
        let error = ManagedExport::open(folder.path()).err().unwrap();
        assert!(error.problem.contains("outside"), "{name}: {error}");
    }
}

#[test]
fn other_folders_are_rejected() {
    let folder = TempDir::new().unwrap();
    let problem = |folder: &TempDir| {
        let error = ManagedExport::open(folder.path()).err().unwrap();
        error.problem.into_owned()
    };
    assert!(problem(&folder).contains("contains no file"));
    let overall = folder.path().join("x.overall_export_metadata");
    fs::write(&overall, b"").unwrap();
    assert!(problem(&folder).contains("lists no"));
    fs::write(&overall, b"not a log at all").unwrap();
    assert!(!problem(&folder).is_empty());
}

#[test]
fn deeply_nested_maps_are_rejected() {
    let nested = |levels: usize| {
        (0..levels).fold(
            json!({"nullValue": null}),
            |inner, _| json!({"mapValue": {"fields": {"d": inner}}}),
        )
    };
    let record = |levels| entity("a/b", &json!({"d": nested(levels)}));
    // The limit of Firestore, and that of the importer.
    for levels in [20, 40] {
        assert!(decode_entity(&record(levels)).is_ok(), "{levels}");
    }
    for levels in [41, 10_000 / 16] {
        assert_eq!(decode_entity(&record(levels)), Err(EntityError::Depth));
    }
}

#[test]
fn vectors_become_maps_as_in_the_rest_api() {
    let element = |number| {
        let value = Message::default().double(4, number);
        let property = Message::default().varint(1, 31).bytes(3, b"v");
        property.varint(4, 1).bytes(5, &value.0)
    };
    let empty = entity("a/b", &json!({}));
    let record = Message(empty).bytes(15, &element(1.0).0);
    let record = record.bytes(15, &element(2.5).0);
    let expected = json!({"v": {"mapValue": {"fields": {
        "__type__": {"stringValue": "__vector__"},
        "value": {"arrayValue": {"values": [{"doubleValue": 1.0}, {"doubleValue": 2.5}]}},
    }}}});
    assert_eq!(decode_entity(&record.0), Ok(document("a/b", &expected)));
}

#[test]
fn contradictory_entities_are_rejected() {
    let empty = || Message(entity("a/b", &json!({})));
    let property = |meaning, is_element| {
        let value = Message::default().varint(1, u64::MAX / 2);
        let property = Message::default().varint(1, meaning).bytes(3, b"v");
        property.varint(4, is_element).bytes(5, &value.0).0
    };
    for (properties, error) in [
        (vec![property(0, 0), property(0, 0)], EntityError::Repeated),
        (vec![property(0, 1), property(0, 0)], EntityError::Repeated),
        (vec![property(0, 0), property(0, 1)], EntityError::Repeated),
        (vec![property(19, 0)], EntityError::Type),
        (vec![property(7, 0)], EntityError::Timestamp),
        (
            vec![Message::default().varint(1, 0).0],
            EntityError::Unnamed,
        ),
        (
            vec![Message::default().bytes(3, b"\xff").0],
            EntityError::Text,
        ),
    ] {
        let record = properties
            .iter()
            .fold(empty(), |record, property| record.bytes(15, property));
        assert_eq!(decode_entity(&record.0), Err(error));
    }
    assert_eq!(decode_entity(b""), Err(EntityError::Key));
}
