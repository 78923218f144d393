//! Comparison of a source with a store.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clarity_backend::import::{Format, ImportContext, Mapping, Source, VerificationCounts, verify};
use clarity_backend::store::{EmbeddedStore, ReadingStore};
use tempfile::tempdir;

use super::run::imported;

#[tokio::test]
async fn missing_and_different_readings_are_counted() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("in.ndjson");
    let line = |record: &str, value: u32| {
        format!(
            r#"{{"user_id":"jane","data_type":"steps","value":{value},"timestamp":"2024-01-15T10:30:00Z","client_record_id":"{record}","client_record_version":3}}"#
        ) + "\n"
    };
    let stored = [
        line("a", 1),
        line("b", 2),
        line("c", 3).replace(":3}", ":4}"),
    ]
    .concat();
    fs::write(&path, stored).unwrap();
    imported(directory.path(), &["in.ndjson"]).assert_counts(3, 0, 0);
    let other = [line("a", 1), line("b", 20), line("c", 3), line("d", 4)].concat();
    fs::write(&path, other).unwrap();

    let source = Source::Files {
        format: Format::Ndjson,
        path,
    };
    let context = ImportContext {
        now: "2025-01-01T00:00:00Z".parse().unwrap(),
        user_id: None,
    };
    let store = EmbeddedStore::open(&directory.path().join("clarity-data")).unwrap();
    let store: Arc<dyn ReadingStore> = Arc::new(store);
    let opened = source.open(&context, &Arc::new(Mapping::default()), None);
    let stop = Arc::new(AtomicBool::new(false));
    let verification = verify(opened.unwrap().batches, store, 2, stop)
        .await
        .unwrap();
    let tallies: Vec<VerificationCounts> = verification.counts.values().copied().collect();
    let expected = VerificationCounts {
        expected: 4,
        equal: 1,
        superseded: 1,
        missing: 1,
        different: 1,
    };
    assert_eq!(tallies, [expected]);
    assert!(!verification.is_complete());
}
