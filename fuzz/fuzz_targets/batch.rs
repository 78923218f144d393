//! The body of a batch: each reading of one that is taken gets a result.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::post;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let answer = post("/api/v1/data/batch", body);
    if answer.status == StatusCode::OK {
        let count = |name: &str| answer.body[name].as_u64().expect("a count");
        let results = answer.body["results"].as_array().expect("results").len() as u64;
        let sum = count("stored") + count("superseded") + count("rejected");
        assert_eq!(sum, results);
    }
});
