//! Nobody gets in by a token that the issuer has not made for them, now.
//!
//! What has a line break is a header and claims, which are signed with the
//! issuer's own key, so that they get as far as they can; all else is a token as
//! it is.
#![no_main]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clarity_backend_fuzz::issuer::{AUDIENCE, ISSUER, sign};
use clarity_backend_fuzz::{NOW, ask};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|data: &[u8]| {
    let line_break = data.iter().position(|byte| *byte == b'\n');
    let parts = line_break.map(|index| (&data[..index], &data[index + 1..]));
    let token = match parts {
        Some((header, claims)) => sign(header, claims).into_bytes(),
        None => data.to_vec(),
    };
    let authorization = [b"Bearer ".as_slice(), &token].concat();
    let request = Request::get("/api/v1/data/user123").header("Authorization", authorization);
    // What no header can hold does not get so far.
    let Ok(request) = request.body(Body::empty()) else {
        return;
    };
    if ask(request).status == StatusCode::OK {
        let (header, claims) = parts.expect("the issuer signed it");
        let header: Value = serde_json::from_slice(header).expect("a header");
        let claims: Value = serde_json::from_slice(claims).expect("claims");
        assert_eq!(
            (&header["alg"], &header["kid"]),
            (&"RS256".into(), &"k".into())
        );
        assert_eq!(
            (&claims["sub"], &claims["iss"]),
            (&"user123".into(), &ISSUER.into())
        );
        let audience = &claims["aud"];
        let is_for_us = |one: &Value| *one == AUDIENCE;
        assert!(
            is_for_us(audience)
                || audience
                    .as_array()
                    .is_some_and(|all| all.iter().any(is_for_us))
        );
        // A minute for clocks that differ.
        assert!(
            claims["exp"]
                .as_f64()
                .is_some_and(|end| end >= (NOW - 60) as f64)
        );
    }
});
