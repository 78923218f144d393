//! A cursor that the service did not give out is refused.
#![no_main]

use axum::http::StatusCode;
use clarity_backend_fuzz::get;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|cursor: &str| {
    if let Some(answer) = get(&format!("/api/v1/data/user123?cursor={cursor}")) {
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
});
