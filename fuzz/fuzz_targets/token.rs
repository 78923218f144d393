//! Bearer tokens: only an unexpired token of the issuer for this user and audience is
//! accepted.
//!
//! Input with a line break is a header and claims, which are signed with the issuer's key
//! to pass the signature check. Other input is the token itself.
#![no_main]

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use clarity_backend_fuzz::issuer::{AUDIENCE, ISSUER, sign};
use clarity_backend_fuzz::{NOW, send};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::value::RawValue;

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
        let header = Members::parse(header);
        assert_eq!(
            (header.get("alg"), header.get("kid")),
            ("RS256".into(), "k".into())
        );
        let claims = Members::parse(claims);
        assert_eq!(
            (claims.get("sub"), claims.get("iss")),
            ("user123".into(), ISSUER.into())
        );
        let audience = claims.get("aud");
        let is_ours = |one: &Value| *one == AUDIENCE;
        assert!(
            is_ours(&audience)
                || audience
                    .as_array()
                    .is_some_and(|all| all.iter().any(is_ours))
        );
        // Allows a minute of clock skew.
        assert!(
            claims
                .get("exp")
                .as_f64()
                .is_some_and(|expiry| expiry >= (NOW - 60) as f64)
        );
    }
});

/// Members of a JSON object. Only those that are asked for are parsed: others, which the
/// service ignores, may be numbers too large for an `f64`.
struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    fn parse(json: &'a [u8]) -> Self {
        Self(serde_json::from_slice(json).expect("a JSON object"))
    }

    fn get(&self, name: &str) -> Value {
        let value = self.0.get(name).expect("a required member");
        serde_json::from_str(value.get()).expect("JSON")
    }
}
