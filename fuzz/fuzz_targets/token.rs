//! Bearer tokens: only an unexpired token of the issuer for this user and audience is
//! accepted.
//!
//! Input with a line break is a header and claims, which are signed with the issuer's key
//! to pass the signature check. Other input is the token itself.
#![no_main]

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clarity_backend_fuzz::issuer::{AUDIENCE, ISSUER, sign};
use clarity_backend_fuzz::{NOW, send};
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
    let request = Request::get("/api/v1/data/user123")
        .header("Host", "x")
        .header("Authorization", authorization);
    // Bytes that are invalid in a header never reach the app.
    let Ok(request) = request.body(Body::empty()) else {
        return;
    };
    if send(request).status == StatusCode::OK {
        let (header, claims) = parts.expect("only the issuer signs tokens");
        let header: Value = serde_json::from_slice(header).expect("a JSON header");
        let claims: Value = serde_json::from_slice(claims).expect("JSON claims");
        assert_eq!(
            (&header["alg"], &header["kid"]),
            (&"RS256".into(), &"k".into())
        );
        assert_eq!(
            (&claims["sub"], &claims["iss"]),
            (&"user123".into(), &ISSUER.into())
        );
        let audience = &claims["aud"];
        let is_ours = |one: &Value| *one == AUDIENCE;
        assert!(
            is_ours(audience)
                || audience
                    .as_array()
                    .is_some_and(|all| all.iter().any(is_ours))
        );
        // Allows a minute of clock skew.
        assert!(
            claims["exp"]
                .as_f64()
                .is_some_and(|expiry| expiry >= (NOW - 60) as f64)
        );
    }
});
