//! Corrupt files: everything read is as written, and everything lost is reported.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::values::every_type;
use crate::firestore_support::entity::entity;
use crate::firestore_support::log::{fragment, log, padded};
use clarity_backend::import::firestore::{
    JsonFormat, LogError, LogRecord, MAX_RECORD_BYTES, decode_entity, decode_json, decode_log,
};

type Items = Vec<Result<LogRecord, (u64, LogError)>>;

fn items(file: &[u8]) -> Items {
    decode_log(file).collect()
}

fn records(items: &Items) -> Vec<&[u8]> {
    let intact = items.iter().flatten();
    intact.map(|record| &*record.bytes).collect()
}

/// Returns small records, and one that spans three blocks.
fn written() -> Vec<Vec<u8>> {
    let small = |index: u8| vec![index; 300 + usize::from(index)];
    let long: Vec<u8> = (0..=250).cycle().take(70_000).collect();
    let mut written: Vec<Vec<u8>> = (0..60).map(small).collect();
    written.push(long);
    written.extend((100..160).map(small));
    written
}

#[test]
fn records_round_trip() {
    let file = log(&written());
    assert_eq!(records(&items(&file)), written());
    assert_eq!(records(&items(&padded(file))), written());
    assert!(items(b"").is_empty());
    assert!(items(&padded(vec![0; 3])).is_empty());
    // Lengths that leave every kind of remainder in a block.
    for length in 32_740..32_780 {
        let written = [vec![1; length], vec![2; 5], Vec::new(), vec![3; length]];
        assert_eq!(records(&items(&log(&written))), written, "{length}");
    }
}

#[test]
fn reading_resumes_with_the_block_after_corruption() {
    let mut file = log(&written());
    file[40_000] ^= 1;
    let items = items(&file);
    let errors: Vec<_> = items
        .iter()
        .filter_map(|item| item.as_ref().err())
        .collect();
    // The long record starts in the first block and is corrupted in the second.
    assert!(
        matches!(errors[..], [(_, LogError::Checksum)]),
        "{errors:?}"
    );
    let all = written();
    let kept = [&all[..60], &all[61..]].concat();
    assert_eq!(records(&items), kept);
}

#[test]
fn corruption_is_described_with_its_offset() {
    let errors_of = |file: &[u8]| {
        let items = items(file);
        let errors = items.into_iter().filter_map(Result::err);
        errors
            .map(|(offset, error)| (offset, error.to_string()))
            .collect::<Vec<_>>()
    };
    let whole = fragment(1, b"whole");
    let first = fragment(2, b"first");
    let last = fragment(4, b"last");
    let truncated = "the file is truncated within a record";
    let incomplete = "a record lacks its first or last fragment";
    let mut too_long = whole.clone();
    too_long[5] = 0xff;
    for (file, expected) in [
        (whole[..11].to_vec(), (0, truncated)),
        (whole[..3].to_vec(), (0, truncated)),
        (first.clone(), (0, truncated)),
        ([whole.clone(), last].concat(), (12, incomplete)),
        ([first, whole].concat(), (0, incomplete)),
        (
            fragment(9, b"x"),
            (
                0,
                "a fragment has an unknown type; the rest of its 32 KiB block is skipped",
            ),
        ),
        (
            too_long,
            (
                0,
                "a length exceeds its block; the rest of its 32 KiB block is skipped",
            ),
        ),
    ] {
        let (offset, problem) = expected;
        assert_eq!(errors_of(&file), [(offset, problem.to_owned())]);
    }
}

#[test]
fn endless_record_is_rejected_at_the_limit() {
    let mut file = vec![0; 0];
    let part = vec![7; 32 * 1024 - 7];
    file.extend(fragment(2, &part));
    for _ in 0..MAX_RECORD_BYTES / part.len() + 3 {
        file.extend(fragment(3, &part));
    }
    file.extend(fragment(1, b"next"));
    let items = items(&file);
    assert!(
        matches!(items[0], Err((0, LogError::TooLong))),
        "{:?}",
        items[0]
    );
    assert_eq!(records(&items), [b"next"]);
    assert_eq!(items.len(), 2);
}

fn small_document() -> Json {
    let mut fields = every_type();
    fields["long"] = json!({"stringValue": "short"});
    fields
}

#[test]
fn truncated_document_is_rejected_or_has_fewer_fields() {
    let whole = entity("types/all", &small_document());
    let document = decode_entity(&whole).unwrap();
    for length in 0..whole.len() {
        if let Ok(less) = decode_entity(&whole[..length]) {
            assert_eq!(less.path, document.path, "{length}");
            assert!(less.fields.len() <= document.fields.len(), "{length}");
        }
    }
}

#[test]
fn truncated_log_keeps_earlier_records() {
    let written: Vec<Vec<u8>> = written().into_iter().skip(57).take(6).collect();
    let file = log(&written);
    let ends: HashSet<usize> = (0..=written.len())
        .map(|n| log(&written[..n]).len())
        .collect();
    for length in (0..file.len()).filter(|at| at % 61 == 0 || ends.contains(at)) {
        let items = items(&file[..length]);
        let kept = (0..=written.len()).rev();
        let kept = kept
            .clone()
            .find(|n| log(&written[..*n]).len() <= length)
            .unwrap_or(0);
        assert_eq!(records(&items), written[..kept], "{length}");
        let is_reported = items.last().is_some_and(Result::is_err);
        let is_between = ends.contains(&length) || file[..length].ends_with(&[0; 6]);
        assert!(is_reported || is_between, "{length}");
    }
}

fn json_file() -> String {
    json!({"__collections__": {"health_data": {
        "a": {"when": {"__datatype__": "timestamp",
                       "value": {"_seconds": -1, "_nanoseconds": 500_000_000}},
              "list": [1, 2.5, {"x": null}], "__collections__": {}},
        "b": {"text": "é", "__collections__": {"sub": {"c": {"v": 1}}}},
    }}})
    .to_string()
}

#[test]
fn truncated_json_keeps_earlier_documents() {
    let file = json_file();
    let format = JsonFormat::NodeFirestoreImportExport;
    let all: Vec<_> = decode_json(file.as_bytes(), format)
        .map(Result::unwrap)
        .collect();
    assert_eq!(all.len(), 3);
    for length in 0..file.len() {
        let mut found: Vec<_> = decode_json(&file.as_bytes()[..length], format).collect();
        assert!(found.pop().unwrap().is_err(), "{length}");
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert_eq!(found, all[..found.len()], "{length}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// CRC-32C detects every single-bit error, so every record read is as written
    /// and every lost one is reported.
    #[test]
    fn flipped_bit_is_reported_and_loses_at_most_two_blocks(at in 0_usize..130_000, bit in 0..8) {
        let written = written();
        let mut file = log(&written);
        let at = at % file.len();
        file[at] ^= 1_u8 << bit;
        let items = items(&file);
        let known: HashSet<&[u8]> = written.iter().map(|record| &**record).collect();
        let found = records(&items);
        prop_assert!(found.iter().all(|record| known.contains(record)));
        let is_reported = items.iter().any(Result::is_err);
        prop_assert!(is_reported || found.len() == written.len());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(items(&bytes).len() <= bytes.len());
        let _ = decode_entity(&bytes);
    }

    #[test]
    fn mutated_documents_do_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut record = entity("types/all", &small_document());
        for (at, byte) in changes {
            let at = at.index(record.len());
            record[at] = byte;
        }
        let _ = decode_entity(&record);
    }

    #[test]
    fn mutated_json_does_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut file = json_file().into_bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        for format in [
            JsonFormat::NodeFirestoreImportExport,
            JsonFormat::FirestoreExportImport,
            JsonFormat::Backfire,
            JsonFormat::Endran,
        ] {
            prop_assert!(decode_json(&file, format).count() <= file.len());
        }
    }
}
