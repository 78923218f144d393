use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::KeyDigest;

/// Prefix of generated keys, by which people and secret scanners recognize them.
const PREFIX: &str = "clk_";

/// Random bytes in a key: 160 bits cannot be guessed.
const RANDOM_BYTES: usize = 20;

/// Checksum bytes after them, by which a secret scanner can verify a match.
const CHECKSUM_BYTES: usize = 4;

/// A newly generated key.
pub struct NewKey {
    /// The key: `clk_`, 40 random hexadecimal digits, and 8 digits of the SHA-256 of
    /// everything before them.
    pub key: SecretString,
    /// Digest of the key, for storage.
    pub digest: KeyDigest,
}

impl NewKey {
    /// Generates a key.
    ///
    /// # Errors
    /// If the system has no source of randomness.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self::from_random(random))
    }

    fn from_random(random: [u8; RANDOM_BYTES]) -> Self {
        let mut key = PREFIX.to_owned() + &hex::encode(random);
        let checksum = Sha256::digest(&key);
        key += &hex::encode(&checksum[..CHECKSUM_BYTES]);
        Self {
            digest: KeyDigest::from_key(key.as_bytes()),
            key: key.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn generated_key_has_prefix_random_digits_and_checksum() {
        let made = NewKey::generate().unwrap();
        let key = made.key.expose_secret();
        let (body, checksum) = key.split_at(44);
        assert!(body.starts_with("clk_") && key.len() == 52, "{key}");
        let expected = Sha256::digest(body);
        assert_eq!(hex::encode(&expected[..4]), checksum);
        assert_eq!(KeyDigest::from_key(key.as_bytes()), made.digest);
        let another = NewKey::generate().unwrap();
        assert_ne!(another.key.expose_secret(), key);
    }
}
