use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The key that clients must present.
///
/// Only its digest is kept, and digests are compared in constant time: neither
/// a wrong key's length nor its first wrong byte shows in the time an answer
/// takes.
#[derive(Clone)]
pub struct ApiKey {
    digest: [u8; 32],
}

impl ApiKey {
    /// Whether `presented` is the key.
    pub fn matches(&self, presented: &[u8]) -> bool {
        Sha256::digest(presented).ct_eq(&self.digest).into()
    }
}

impl From<&SecretString> for ApiKey {
    fn from(key: &SecretString) -> Self {
        Self {
            digest: Sha256::digest(key.expose_secret()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_itself_matches() {
        let key = ApiKey::from(&SecretString::from("development-key"));
        assert!(key.matches(b"development-key"));
        for wrong in ["", "development-ke", "development-key ", "Development-key"] {
            assert!(!key.matches(wrong.as_bytes()));
        }
    }
}
