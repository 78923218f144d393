//! Exports that the tests write, read back.

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

/// Three files: one over several blocks, an empty one, a padded one.
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
    errors.map(|damage| damage.problem.into_owned()).collect()
}

#[test]
fn every_type_comes_back() {
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
    let tally = PartCounts {
        part: folder.path().join(part),
        expected: Some(1_502),
        found: 1_502,
    };
    assert_eq!(export.part_counts(), [tally]);
}

#[test]
fn the_folder_around_an_export_will_do() {
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
fn a_count_that_differs_is_told() {
    let folder = written(&ExportFixture::new().document("a/b", &steps(1)).claiming(2));
    let mut export = ManagedExport::open(folder.path()).unwrap();
    assert!(export.next().unwrap().is_ok());
    let told = export.next().unwrap().unwrap_err().to_string();
    assert!(told.contains("2 documents, but 1 intact"), "{told}");
    assert!(told.contains("all_kinds.export_metadata: "), "{told}");
    assert!(export.next().is_none());
    assert!(!export.part_counts()[0].is_complete());
}

#[test]
fn a_missing_file_costs_itself_alone() {
    let folder = written(&three_files());
    fs::remove_file(ExportFixture::output(folder.path(), 0)).unwrap();
    let mut export = ManagedExport::open(folder.path()).unwrap();
    let items: Vec<_> = export.by_ref().collect();
    assert_eq!(items.len(), 3, "the file, the last document, the count");
    assert!(items[1].is_ok() && items[2].is_err());
    let damage = items[0].as_ref().unwrap_err();
    assert!(damage.location.file.ends_with("output-0"), "{damage}");
    assert!(damage.to_string().contains("cannot be read"), "{damage}");
    assert!(!export.part_counts()[0].is_complete());
}

#[test]
fn damage_in_a_file_leaves_what_comes_before_and_the_next_files() {
    let folder = written(&three_files());
    let file = ExportFixture::output(folder.path(), 0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[1_000] ^= 4;
    fs::write(&file, bytes).unwrap();
    let mut export = ManagedExport::open(folder.path()).unwrap();
    let items: Vec<_> = export.by_ref().collect();
    let at = items.iter().position(Result::is_err).unwrap();
    assert!(at > 5, "{at}");
    let damage = items[at].as_ref().unwrap_err();
    assert!(damage.location.offset <= 1_000, "{damage}");
    assert!(
        damage.problem.contains("a checksum does not match"),
        "{damage}"
    );
    let [.., last, count] = &items[..] else {
        panic!("too few")
    };
    let told = count.as_ref().unwrap_err().to_string();
    assert!(told.contains("1502 documents"), "{told}");
    let last = last.as_ref().unwrap();
    assert_eq!(last.1.path, "users/u1/sub/__id7__");
    let sound = items.iter().flatten().count();
    assert_eq!(sound, items.len() - 2);
    let tally = &export.part_counts()[0];
    assert_eq!(tally.found, u64::try_from(sound).unwrap());
    assert!(!tally.is_complete());
}

#[test]
fn a_record_that_is_no_document_costs_itself_alone() {
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
    let told = problems(items);
    assert!(told[0].starts_with("the record is not a valid message: a field is truncated"));
    assert!(told[1].starts_with("declares 1 documents"));
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    let folder = written(&ExportFixture::new().document("a/b", &steps(1)));
    let metadata = folder
        .path()
        .join("all_namespaces/all_kinds/all_namespaces_all_kinds.export_metadata");
    for name in ["../output-0", "/etc/passwd", "", "a/../../b"] {
        let kind = Message::default().bytes(2, name.as_bytes());
        fs::write(&metadata, Message::default().bytes(2, &kind.0).0).unwrap();
        let refused = ManagedExport::open(folder.path()).err().unwrap();
        assert!(refused.problem.contains("outside"), "{name}: {refused}");
    }
}

#[test]
fn folders_that_are_no_export_are_refused() {
    let folder = TempDir::new().unwrap();
    let refused = |folder: &TempDir| {
        let damage = ManagedExport::open(folder.path()).err().unwrap();
        damage.problem.into_owned()
    };
    assert!(refused(&folder).contains("contains no file"));
    let overall = folder.path().join("x.overall_export_metadata");
    fs::write(&overall, b"").unwrap();
    assert!(refused(&folder).contains("lists no"));
    fs::write(&overall, b"not a log at all").unwrap();
    assert!(!refused(&folder).is_empty());
}

#[test]
fn maps_too_deep_are_refused() {
    let nested = |levels: usize| {
        (0..levels).fold(
            json!({"nullValue": null}),
            |inner, _| json!({"mapValue": {"fields": {"d": inner}}}),
        )
    };
    let record = |levels| entity("a/b", &json!({"d": nested(levels)}));
    // What Firestore allows, and what is allowed here.
    for levels in [20, 40] {
        assert!(decode_entity(&record(levels)).is_ok(), "{levels}");
    }
    for levels in [41, 10_000 / 16] {
        assert_eq!(decode_entity(&record(levels)), Err(EntityError::Depth));
    }
}

#[test]
fn vectors_are_maps_as_the_rest_api_has_them() {
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
fn entities_that_contradict_themselves_are_refused() {
    let empty = || Message(entity("a/b", &json!({})));
    let property = |meaning, is_element| {
        let value = Message::default().varint(1, u64::MAX / 2);
        let property = Message::default().varint(1, meaning).bytes(3, b"v");
        property.varint(4, is_element).bytes(5, &value.0).0
    };
    for (properties, fault) in [
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
        assert_eq!(decode_entity(&record.0), Err(fault));
    }
    assert_eq!(decode_entity(b""), Err(EntityError::Key));
}
