//! Firestore documents as JSON: the format of every export tool, and of the REST API.
#![no_main]

use clarity_backend::import::firestore::{JsonFormat, decode_json, decode_typed_document};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = JsonFormat::detect(bytes);
    for format in [
        JsonFormat::NodeFirestoreImportExport,
        JsonFormat::FirestoreExportImport,
        JsonFormat::Backfire,
        JsonFormat::Endran,
    ] {
        for result in decode_json(bytes, format) {
            let offset = match result {
                Ok((offset, document)) => {
                    assert!(document.path.contains('/'));
                    offset
                }
                Err((offset, _)) => offset,
            };
            assert!(offset <= bytes.len() as u64);
        }
    }
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = decode_typed_document(text);
    }
});
