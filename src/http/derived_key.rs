use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Derives a key for one purpose from a secret. Neither the secret nor the key of
/// another purpose can be computed from it.
pub fn derived_key(secret: &SecretString, purpose: &[u8]) -> Hmac<Sha256> {
    let mut derivation = hmac(secret.expose_secret().as_bytes());
    derivation.update(purpose);
    hmac(&derivation.finalize().into_bytes())
}

fn hmac(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    Hmac::new_from_slice(key).expect("a key of any length is valid")
}
