//! A fake token issuer that serves its key set over HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use axum::Router;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The issuer's key.
static KEY: LazyLock<RsaKeyPair> = LazyLock::new(new_key);
/// Another key that the issuer may publish under the same id.
static PAIR_KEY: LazyLock<RsaKeyPair> = LazyLock::new(new_key);
/// A key that the issuer does not publish.
static OTHER_KEY: LazyLock<RsaKeyPair> = LazyLock::new(new_key);

fn new_key() -> RsaKeyPair {
    RsaKeyPair::generate(KeySize::Rsa2048).unwrap()
}

pub struct TokenIssuer {
    address: SocketAddr,
    fetches: Arc<AtomicU64>,
    response: Arc<Mutex<(StatusCode, String)>>,
}

impl TokenIssuer {
    pub async fn start() -> Self {
        Self::start_with_delay(Duration::ZERO).await
    }

    /// Starts an issuer that delays its key set.
    pub async fn start_with_delay(delay: Duration) -> Self {
        let fetches = Arc::new(AtomicU64::new(0));
        let response = Arc::new(Mutex::new((
            StatusCode::OK,
            json!({"keys": [
                // Unusable keys in the set must be ignored.
                {"kty": "oct", "kid": "secret", "k": "AAAA"},
                {"kty": "unheard-of", "kid": "strange"},
                jwk_with("for-rs512", json!({"alg": "RS512"})),
                jwk_with("for-encryption", json!({"key_ops": ["encrypt"]})),
                jwk("key-1", &KEY),
            ]})
            .to_string(),
        )));
        let respond = {
            let (fetches, response) = (Arc::clone(&fetches), Arc::clone(&response));
            async move || {
                fetches.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(delay).await;
                response.lock().unwrap().clone()
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/jwks.json", axum::routing::get(respond));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            address,
            fetches,
            response,
        }
    }

    pub fn key_set_url(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    /// Replaces the key set by the issuer's key under each of these ids.
    pub fn publish(&self, ids: &[&str]) {
        let keys: Vec<Value> = ids.iter().map(|id| jwk(id, &KEY)).collect();
        self.respond_with(StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    /// Replaces the key set by another key and the issuer's, in both orders, under two
    /// ids that each name both.
    pub fn publish_pairs(&self, ids: [&str; 2]) {
        let [first, second] = ids;
        let keys = [
            jwk(first, &KEY),
            jwk(first, &PAIR_KEY),
            jwk(second, &PAIR_KEY),
            jwk(second, &KEY),
        ];
        self.respond_with(StatusCode::OK, json!({ "keys": keys }).to_string());
    }

    /// Makes requests for the key set fail.
    pub fn fail(&self) {
        self.respond_with(StatusCode::BAD_GATEWAY, String::new());
    }

    fn respond_with(&self, status: StatusCode, text: String) {
        *self.response.lock().unwrap() = (status, text);
    }

    /// Number of requests for the key set.
    pub fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// Returns the public key as a JWK (RFC 7517).
fn jwk(id: &str, key: &RsaKeyPair) -> Value {
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id,
        "n": base64(modulus(key)), "e": "AQAB",
    })
}

fn jwk_with(id: &str, members: Value) -> Value {
    let mut jwk = jwk(id, &KEY);
    for (name, value) in members.as_object().unwrap() {
        jwk[name] = value.clone();
    }
    jwk
}

/// Extracts the modulus from the DER form of `RSAPublicKey` (RFC 8017).
fn modulus(key: &RsaKeyPair) -> &[u8] {
    let der = key.public_key().as_ref();
    assert_eq!(
        der[..9],
        [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00]
    );
    assert_eq!(der[265..], [0x02, 0x03, 0x01, 0x00, 0x01]);
    &der[9..265]
}

/// Returns the public key, which an algorithm confusion attack uses as the HS256
/// secret.
pub fn public_key() -> &'static [u8] {
    KEY.public_key().as_ref()
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the header of the issuer's tokens.
pub fn header() -> Value {
    json!({"alg": "RS256", "kid": "key-1", "typ": "JWT"})
}

/// Signs this header and these claims with the issuer's key, unchecked.
pub fn token(header: &str, claims: &str) -> String {
    sign(header, claims, &KEY, &RSA_PKCS1_SHA256)
}

/// Signs a token with a key that the issuer does not publish.
pub fn signed_by_other_key(header: &str, claims: &str) -> String {
    sign(header, claims, &OTHER_KEY, &RSA_PKCS1_SHA256)
}

/// Signs a token with the issuer's key by RS512.
pub fn signed_with_rs512(header: &str, claims: &str) -> String {
    sign(header, claims, &KEY, &RSA_PKCS1_SHA512)
}

/// Returns the unpublished key as a JWK with the issuer's key id.
pub fn foreign_jwk() -> Value {
    jwk("key-1", &OTHER_KEY)
}

fn sign(
    header: &str,
    claims: &str,
    key: &RsaKeyPair,
    algorithm: &'static dyn RsaEncoding,
) -> String {
    let message = format!("{}.{}", base64(header), base64(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        algorithm,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .unwrap();
    format!("{message}.{}", base64(signature))
}
