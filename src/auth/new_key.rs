use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::KeyDigest;

/// What every made key begins with, so that people and scanners know it.
const PREFIX: &str = "clk_";

/// Random bytes in a key: 160 bits, which nobody guesses.
const RANDOM_BYTES: usize = 20;

/// Bytes of the checksum behind them, by which a scanner for leaked secrets
/// tells a key from a text that looks like one.
const CHECKSUM_BYTES: usize = 4;

/// A key that was just made.
pub struct NewKey {
    /// The key itself: `clk_`, 40 random hexadecimal digits, and 8 that are the
    /// beginning of the SHA-256 of everything before them.
    pub key: SecretString,
    /// What is stored of it.
    pub digest: KeyDigest,
}

impl NewKey {
    /// Makes one.
    ///
    /// # Errors
    /// When the system has no random bytes.
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
    fn keys_have_a_prefix_random_digits_and_a_checksum() {
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
