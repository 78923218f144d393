use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{KeyDigest, Scope, UserPattern};
use crate::domain::ValidationError;

/// What keys that were given without an id go by; no listed key may.
pub(super) const SHARED_KEY: &str = "shared-key";

/// The most keys there may be: a request is compared with each.
const MAX_KEYS: usize = 1_000;

/// The most patterns of users that an entry may have: each user of a request is
/// compared with all.
const MAX_USERS_PER_KEY: usize = 1_000;

/// A key as it is stored: an element of the array in `CLARITY_API_KEYS`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// Whose key it is. Several keys may have the same id, as while one is
    /// being changed for another.
    pub id: KeyId,
    /// The digest of the key.
    #[serde(deserialize_with = "parsed")]
    pub sha256: KeyDigest,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// For whom.
    pub users: Vec<UserPattern>,
    /// From when on it is forbidden; never if absent.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
}

impl KeyEntry {
    /// Reads the JSON array of keys, which must not hold the `forbidden` one.
    ///
    /// # Errors
    /// When it is none, or holds an entry that no key could be used by, or the
    /// forbidden one. What it says never repeats the text: somebody may have put a
    /// key there.
    pub fn read_all(json: &str, forbidden: Option<&KeyDigest>) -> Result<Vec<Self>, KeyListError> {
        let entries: Vec<Self> =
            serde_json::from_str(json).map_err(|error| KeyListError::Malformed {
                line: error.line(),
                column: error.column(),
            })?;
        if entries.len() > MAX_KEYS {
            return Err(KeyListError::TooMany);
        }
        if entries.is_empty() {
            return Err(KeyListError::Empty);
        }
        let empty_key_digest = KeyDigest::from_key(b"");
        let mut digests = BTreeSet::new();
        for (index, entry) in entries.iter().enumerate() {
            if entry.scopes.is_empty() || entry.users.is_empty() {
                return Err(KeyListError::NoScopeOrUser { index });
            }
            if entry.users.len() > MAX_USERS_PER_KEY {
                return Err(KeyListError::TooManyUsers { index });
            }
            if Some(&entry.sha256) == forbidden {
                return Err(KeyListError::DevelopmentKey { index });
            }
            if entry.sha256 == empty_key_digest {
                return Err(KeyListError::EmptyKey { index });
            }
            if !digests.insert(&entry.sha256) {
                return Err(KeyListError::Duplicate { index });
            }
        }
        Ok(entries)
    }
}

/// What is wrong with a list of keys.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyListError {
    /// It is no such list.
    #[error(
        "must be a JSON array of {{\"id\", \"sha256\", \"scopes\", \"users\", \"not_after\"}}, as `clarity-backend keys new` prints them; there is a fault at line {line}, column {column}"
    )]
    Malformed {
        /// Where, from 1.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// It is longer than it may be.
    #[error("must hold at most {MAX_KEYS} keys")]
    TooMany,
    /// There is none: far likelier a slip than meant, and it would refuse
    /// everybody.
    #[error(
        "must hold at least one key; to revoke the last one, give it a not_after that has passed"
    )]
    Empty,
    /// It holds the digest of no text at all, as a script makes it whose
    /// variable for the key is not set.
    #[error("must not hold the digest of an empty key; entry {index} (from 0) does")]
    EmptyKey {
        /// The entry's place, from 0.
        index: usize,
    },
    /// A key is for more users than it may name.
    #[error(
        "must name at most {MAX_USERS_PER_KEY} users for a key; entry {index} (from 0) names more: use the beginning of their ids"
    )]
    TooManyUsers {
        /// The entry's place, from 0.
        index: usize,
    },
    /// It would limit a key that has full access, until it is taken out.
    #[error("must not hold a key that CLARITY_API_KEY holds too")]
    FullAccess,
    /// A key is allowed nothing.
    #[error(
        "must name at least one scope and one user for each key; entry {index} (from 0) does not"
    )]
    NoScopeOrUser {
        /// The entry's place, from 0.
        index: usize,
    },
    /// It holds a key that everybody knows.
    #[error("must not hold the development key in production; entry {index} (from 0) does")]
    DevelopmentKey {
        /// The entry's place, from 0.
        index: usize,
    },
    /// A key is there twice.
    #[error("must hold each key once; entry {index} (from 0) has the digest of another")]
    Duplicate {
        /// The entry's place, from 0.
        index: usize,
    },
}

/// The name that a key goes by in logs: 1 to 64 of `A-Z a-z 0-9 . _ -`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = ValidationError;

    fn from_str(text: &str) -> Result<Self, ValidationError> {
        if text == SHARED_KEY {
            return Err(ValidationError::new(
                "must not be shared-key, which keys with full access go by",
            ));
        }
        let is_id = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if is_id {
            Ok(Self(text.into()))
        } else {
            Err(ValidationError::new("must be 1 to 64 of A-Z a-z 0-9 . _ -"))
        }
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err = ValidationError>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_keys_is_read_as_a_whole_or_refused_without_being_repeated() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let entry = |scopes: &str, users: &str, more: &str| {
            format!(
                r#"{{"id":"ios-app","sha256":"{digest}","scopes":[{scopes}],"users":[{users}]{more}}}"#
            )
        };
        let good = entry(
            r#""data:read","insights""#,
            r#""*""#,
            r#","not_after":"2030-01-01T00:00:00Z""#,
        );
        let entries = KeyEntry::read_all(&format!("[{good}]"), None).unwrap();
        assert_eq!(entries[0].id.as_str(), "ios-app");
        assert_eq!(entries[0].scopes, [Scope::ReadData, Scope::Insights]);
        assert_eq!(
            KeyEntry::read_all("[]", None).unwrap_err(),
            KeyListError::Empty
        );
        let of_nothing = good.replace(digest, &KeyDigest::from_key(b"").to_string());
        assert_eq!(
            KeyEntry::read_all(&format!("[{of_nothing}]"), None).unwrap_err(),
            KeyListError::EmptyKey { index: 0 }
        );
        let many = vec![r#""canary""#; MAX_USERS_PER_KEY + 1].join(",");
        assert_eq!(
            KeyEntry::read_all(&format!("[{}]", entry(r#""insights""#, &many, "")), None)
                .unwrap_err(),
            KeyListError::TooManyUsers { index: 0 }
        );
        for bad in [
            "".to_owned(),
            "clk_canary".to_owned(),
            good.clone(),
            format!("[{good},{good}]"),
            format!("[{}]", entry("", r#""*""#, "")),
            format!("[{}]", entry(r#""insights""#, "", "")),
            format!("[{}]", entry(r#""canary""#, r#""*""#, "")),
            format!("[{}]", entry(r#""insights""#, r#""canary canary""#, "")),
            format!("[{}]", entry(r#""insights""#, r#""*""#, r#","canary":1"#)),
            format!("[{}]", entry(r#""insights""#, r#""*""#, r#","id":"twice""#)),
            format!(
                "[{}]",
                entry(r#""insights""#, r#""*""#, r#","not_after":"canary""#)
            ),
            format!("[{}]", good.replace(digest, "clk_canary")),
            format!("[{}]", good.replace("ios-app", "a canary")),
            format!("[{}]", good.replace("ios-app", SHARED_KEY)),
        ] {
            let fault = KeyEntry::read_all(&bad, None).unwrap_err().to_string();
            assert!(!fault.contains("canary"), "{fault}");
        }
    }
}
