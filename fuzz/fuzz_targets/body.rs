//! The body of one reading: what is taken is answered as it was sent.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::{get, post};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let answer = post("/api/v1/data", body);
    if answer.status == StatusCode::OK {
        let stored = &answer.body["data"];
        let (user, id) = (stored["user_id"].as_str(), stored["data_id"].as_str());
        let path = format!("/api/v1/data/{}/{}", user.unwrap(), id.unwrap());
        let read = get(&path).expect("ids fit into paths");
        assert_eq!(read.status, StatusCode::OK);
    }
});
