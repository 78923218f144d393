//! Token issuer whose key set is served over HTTP.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::net::TcpListener;

/// Issuer of accepted tokens.
pub const ISSUER: &str = "https://issuer.example";

/// Audience of accepted tokens.
pub const AUDIENCE: &str = "clarity";

static KEY: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"));

/// Serves the key set on the current runtime; returns its URL.
pub async fn serve() -> String {
    // `RSAPublicKey` (RFC 8017) of 2,048 bits: nine bytes, the modulus, the exponent.
    let modulus = base64(&KEY.public_key().as_ref()[9..265]);
    let key = json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": modulus, "e": "AQAB",
    });
    let key_set = json!({ "keys": [key] }).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/keys", get(async move || key_set));
    tokio::spawn(axum::serve(listener, router).into_future());
    format!("http://{address}/keys")
}

/// Signs any header and claims with the issuer's key; returns the token.
pub fn sign(header: &[u8], claims: &[u8]) -> String {
    let message = format!("{}.{}", base64(header), base64(claims));
    let mut signature = [0; 256];
    KEY.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .expect("a signature");
    format!("{message}.{}", base64(&signature))
}

fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
