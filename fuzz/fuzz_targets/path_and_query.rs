//! Arbitrary paths and queries.
#![no_main]

use clarity_backend_fuzz::get;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    get(&format!("/{text}"));
    get(&format!("/api/v1/data/user123?{text}"));
    get(&format!("/api/v1/data/user123/summary?{text}"));
});
