//! The `X-API-Key` header: only the exact key is accepted.
#![no_main]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clarity_backend_fuzz::{KEY, send};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|key: &[u8]| {
    let request = Request::get("/api/v1/data/user123")
        .header("Host", "x")
        .header("X-API-Key", key);
    // Bytes that are invalid in a header never reach the app.
    if let Ok(request) = request.body(Body::empty()) {
        let expected = match key == KEY.as_bytes() {
            true => StatusCode::OK,
            false => StatusCode::UNAUTHORIZED,
        };
        assert_eq!(send(request).status, expected);
    }
});
