//! The body of a single reading: an accepted reading can be read by its id.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::{get, post};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let response = post("/api/v1/data", body);
    if response.status == StatusCode::OK {
        let stored = &response.body["data"];
        let (user, id) = (stored["user_id"].as_str(), stored["data_id"].as_str());
        let path = format!("/api/v1/data/{}/{}", user.unwrap(), id.unwrap());
        let read = get(&path).expect("an id is valid in a path");
        assert_eq!(read.status, StatusCode::OK);
    }
});
