//! A file of a managed export, and a single record: corruption is reported with its
//! offset, and no changed byte is accepted.
#![no_main]

use clarity_backend::import::firestore::{MAX_RECORD_BYTES, decode_entity, decode_log};
use clarity_backend::import::{ImportContext, clarity};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/support/firestore/log.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod log;

fuzz_target!(|bytes: &[u8]| {
    for result in decode_log(bytes) {
        match result {
            Ok(record) => {
                assert!(record.bytes.len() <= MAX_RECORD_BYTES);
                document(&record.bytes);
            }
            Err((offset, _)) => assert!(offset <= bytes.len() as u64),
        }
    }
    // A fuzzer cannot find valid checksums: wraps the input in valid fragments.
    document(bytes);
    let mut file = log::log(&[bytes.to_vec()]);
    let records: Vec<_> = decode_log(&file).collect();
    assert!(matches!(&records[..], [Ok(record)] if record.bytes == bytes));
    // Changes one byte of that file.
    if let [position @ .., change] = bytes
        && *change != 0
    {
        let position = position.iter().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add((*byte).into())
        });
        let length = file.len();
        file[position % length] ^= change;
        for result in decode_log(&file) {
            assert!(
                result.is_err(),
                "a record with a wrong checksum is accepted"
            );
        }
    }
});

fn document(bytes: &[u8]) {
    let Ok(document) = decode_entity(bytes) else {
        return;
    };
    let context = ImportContext {
        now: Timestamp::from_second(1_717_243_200).expect("a valid time"),
        user_id: None,
    };
    if let Some(readings) = clarity::readings(&document, &context) {
        assert!(!readings.is_empty(), "every document has a result");
    }
}
