//! Only the key itself opens the door.
#![no_main]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clarity_backend_fuzz::{KEY, ask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|key: &[u8]| {
    let request = Request::get("/api/v1/data/user123").header("X-API-Key", key);
    // What no header can hold does not get so far.
    if let Ok(request) = request.body(Body::empty()) {
        let expected = match key == KEY.as_bytes() {
            true => StatusCode::OK,
            false => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(ask(request).status, expected);
    }
});
