//! The body of a batch: an accepted batch has a result per reading.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::post;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let response = post("/api/v1/data/batch", body);
    if response.status == StatusCode::OK {
        let count = |name: &str| response.body[name].as_u64().expect("a count");
        let results = response.body["results"].as_array().expect("results").len() as u64;
        let sum = count("stored") + count("superseded") + count("rejected");
        assert_eq!(sum, results);
    }
});
