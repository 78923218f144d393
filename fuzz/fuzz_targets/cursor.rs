//! The `cursor` parameter: a cursor that the service did not issue is rejected.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::get;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|cursor: &str| {
    if let Some(response) = get(&format!("/api/v1/data/user123?cursor={cursor}")) {
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
});
