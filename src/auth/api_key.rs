use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The keys of which clients must present one.
///
/// Only their digests are kept, and digests are compared in constant time:
/// neither a wrong key's length nor its first wrong byte shows in the time an
/// answer takes, nor which of the keys is the right one.
#[derive(Clone)]
pub struct ApiKeys {
    digests: Vec<[u8; 32]>,
}

impl ApiKeys {
    /// Whether `presented` is one of the keys.
    pub fn match_one(&self, presented: &[u8]) -> bool {
        let presented = Sha256::digest(presented);
        let any = self
            .digests
            .iter()
            .fold(Choice::from(0), |any, digest| any | presented.ct_eq(digest));
        any.into()
    }
}

impl<'a> FromIterator<&'a SecretString> for ApiKeys {
    fn from_iter<I: IntoIterator<Item = &'a SecretString>>(keys: I) -> Self {
        let digest = |key: &SecretString| Sha256::digest(key.expose_secret()).into();
        Self {
            digests: keys.into_iter().map(digest).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_keys_themselves_match() {
        let keys: [SecretString; 2] = ["development-key".into(), "another".into()];
        let keys: ApiKeys = keys.iter().collect();
        assert!(keys.match_one(b"development-key") && keys.match_one(b"another"));
        for wrong in [
            "",
            "development-ke",
            "development-key ",
            "Development-key",
            "development-key,another",
        ] {
            assert!(!keys.match_one(wrong.as_bytes()));
        }
    }
}
